-- Gives the keys of orders that failed back.
DELETE FROM idempotency_key
WHERE ctid = ANY(ARRAY(
    SELECT (
        SELECT key.ctid FROM idempotency_key AS key
        WHERE key.scope = asked.scope AND key.key_hash = asked.key_hash AND key.resource_id = asked.order_id
    )
    FROM unnest($1::text[], $2::bytea[], $3::uuid[]) AS asked(scope, key_hash, order_id)
    WHERE (SELECT orders.version FROM orders WHERE orders.id = asked.order_id) IS NULL
))
