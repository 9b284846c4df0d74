SELECT id, session_id, account_id, hold_id, state, total_minor, currency, created_at, deadline
FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id DESC
