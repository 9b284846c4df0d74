-- Locks the quota of the orders that ended in this transaction, in order; a statement of its own, so that the next one
-- sees what others did before they let go of it.
SELECT FROM (
    SELECT DISTINCT orders.session_id, orders.account_id
    FROM (SELECT DISTINCT unnest($1::uuid[])) AS moved(order_id)
        JOIN orders ON orders.id = ANY(ARRAY[moved.order_id]) AND orders.xmin = pg_current_xact_id()::xid
            AND orders.state IN ('cancelled', 'expired', 'failed')
    ORDER BY orders.session_id, orders.account_id
) AS ended
CROSS JOIN LATERAL (
    SELECT FROM user_quota AS quota
    WHERE quota.session_id = ended.session_id AND quota.account_id = ended.account_id
    FOR NO KEY UPDATE
) AS locked
