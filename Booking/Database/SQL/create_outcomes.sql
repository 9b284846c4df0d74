-- What became of each order of the batch, in its order.
SELECT orders.id IS NOT NULL AS is_created,
    coalesce((SELECT session.state FROM session WHERE session.id = asked.session_id) = 'on_sale', false) AS is_selling,
    coalesce((
        SELECT quota.used FROM user_quota AS quota
        WHERE quota.session_id = asked.session_id AND quota.account_id = asked.account_id
    ), 0) AS used,
    key.fingerprint, key.status, key.body
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[]) WITH ORDINALITY
        AS asked(order_id, session_id, account_id, scope, key_hash, turn)
    LEFT JOIN orders ON orders.id = ANY(ARRAY[asked.order_id]) AND orders.xmin = pg_current_xact_id()::xid
    LEFT JOIN LATERAL (
        SELECT fingerprint, status, body FROM idempotency_key
        WHERE idempotency_key.scope = asked.scope AND idempotency_key.key_hash = asked.key_hash OFFSET 0
    ) AS key ON true
ORDER BY asked.turn
