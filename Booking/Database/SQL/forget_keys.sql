-- Idempotency keys past their time, a few at a time.
DELETE FROM idempotency_key
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency_key WHERE expires_at <= now() ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED
))
