-- What became of each order of the batch, in its order.
SELECT orders.id IS NOT NULL AS is_created, coalesce(session.state = 'on_sale', false) AS is_selling,
    coalesce(quota.used, 0) AS used, key.fingerprint, key.status, key.body
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[]) WITH ORDINALITY
        AS asked(order_id, session_id, account_id, scope, key_hash, turn)
    LEFT JOIN orders ON orders.id = asked.order_id AND orders.xmin = pg_current_xact_id()::xid
    LEFT JOIN session ON session.id = asked.session_id
    LEFT JOIN user_quota AS quota ON quota.session_id = asked.session_id AND quota.account_id = asked.account_id
    LEFT JOIN idempotency_key AS key ON key.scope = asked.scope AND key.key_hash = asked.key_hash
ORDER BY asked.turn
