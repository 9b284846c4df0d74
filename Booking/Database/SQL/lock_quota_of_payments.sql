-- As lock_quota, for the orders of payments.
SELECT FROM (
    SELECT DISTINCT orders.session_id, orders.account_id
    FROM (SELECT DISTINCT unnest($1::uuid[])) AS moved(payment_id)
        JOIN payment ON payment.id = ANY(ARRAY[moved.payment_id])
        JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.xmin = pg_current_xact_id()::xid
            AND orders.state IN ('cancelled', 'expired', 'failed')
    ORDER BY orders.session_id, orders.account_id
) AS ended
CROSS JOIN LATERAL (
    SELECT FROM user_quota AS quota
    WHERE quota.session_id = ended.session_id AND quota.account_id = ended.account_id
    FOR NO KEY UPDATE
) AS locked
