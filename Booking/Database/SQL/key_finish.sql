UPDATE idempotency_key SET status = $3, body = $4, lease_until = NULL
WHERE scope = $1 AND key_hash = $2 AND status = 0
