SELECT id, session_id, account_id, hold_id, state, total_minor, currency, created_at, deadline, version, disputed,
    cancel_requested, failure_code, refund_mode, refund_fee_fixed, refund_fee_basis_points, refund_until, resells
FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id DESC
