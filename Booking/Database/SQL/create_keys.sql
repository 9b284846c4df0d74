-- Takes the idempotency keys of a batch; a key that exists is left alone. Sorted, so that batches cannot deadlock.
INSERT INTO idempotency_key (scope, key_hash, fingerprint, status, body, resource_id, expires_at)
SELECT scope, key_hash, fingerprint, status, body, order_id, now() + interval '24 hours'
FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[], $6::uuid[])
    AS asked(scope, key_hash, fingerprint, status, body, order_id)
ORDER BY scope, key_hash
ON CONFLICT (scope, key_hash) DO NOTHING
