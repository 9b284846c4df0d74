-- Takes a key, or takes it over from a caller that left it.
INSERT INTO idempotency_key (scope, key_hash, fingerprint, status, body, expires_at, lease_until)
VALUES ($1, $2, $3, 0, '', now() + interval '24 hours', now() + $4 * interval '1 millisecond')
ON CONFLICT (scope, key_hash) DO UPDATE SET lease_until = EXCLUDED.lease_until
WHERE idempotency_key.status = 0 AND idempotency_key.lease_until <= now()
    AND idempotency_key.fingerprint = EXCLUDED.fingerprint
RETURNING scope
