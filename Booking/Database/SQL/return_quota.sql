-- Gives the quota of the orders that ended in this transaction back, after lock_quota.
UPDATE user_quota AS quota SET used = quota.used - ended.seats
FROM (
    SELECT (
        SELECT own.ctid FROM user_quota AS own
        WHERE own.session_id = orders.session_id AND own.account_id = orders.account_id
    ) AS place, sum(orders.seat_count)::int AS seats
    FROM (SELECT DISTINCT unnest($1::uuid[])) AS moved(order_id)
        JOIN orders ON orders.id = ANY(ARRAY[moved.order_id]) AND orders.xmin = pg_current_xact_id()::xid
            AND orders.state IN ('cancelled', 'expired', 'failed')
    GROUP BY orders.session_id, orders.account_id
) AS ended
WHERE quota.ctid = ended.place
