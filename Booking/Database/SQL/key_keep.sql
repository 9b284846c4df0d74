-- An answer that was found without taking the key first.
INSERT INTO idempotency_key (scope, key_hash, fingerprint, status, body, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + interval '24 hours')
ON CONFLICT (scope, key_hash) DO NOTHING
