SELECT fingerprint, status, body FROM idempotency_key WHERE scope = $1 AND key_hash = $2
