DELETE FROM idempotency_key WHERE scope = $1 AND key_hash = $2 AND expires_at <= now()
