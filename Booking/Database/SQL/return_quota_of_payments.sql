-- As return_quota, for the orders of payments.
UPDATE user_quota AS quota SET used = quota.used - ended.seats
FROM (
    SELECT (
        SELECT own.ctid FROM user_quota AS own
        WHERE own.session_id = orders.session_id AND own.account_id = orders.account_id
    ) AS place, sum(orders.seat_count)::int AS seats
    FROM (SELECT DISTINCT unnest($1::uuid[])) AS moved(payment_id)
        JOIN payment ON payment.id = ANY(ARRAY[moved.payment_id])
        JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.xmin = pg_current_xact_id()::xid
            AND orders.state IN ('cancelled', 'expired', 'failed')
    GROUP BY orders.session_id, orders.account_id
) AS ended
WHERE quota.ctid = ended.place
