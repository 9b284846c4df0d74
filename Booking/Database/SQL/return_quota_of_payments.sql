-- As return_quota, for the orders of payments.
WITH returned AS (
    SELECT orders.session_id, orders.account_id, sum(orders.seat_count)::int AS seats
    FROM (SELECT DISTINCT unnest($1::uuid[])) AS moved(payment_id)
        JOIN payment ON payment.id = moved.payment_id
        JOIN orders ON orders.id = payment.order_id AND orders.xmin = pg_current_xact_id()::xid
            AND orders.state IN ('cancelled', 'expired', 'failed')
    GROUP BY orders.session_id, orders.account_id
), locked AS MATERIALIZED (
    SELECT quota.session_id, quota.account_id, returned.seats
    FROM returned JOIN user_quota AS quota USING (session_id, account_id)
    ORDER BY quota.session_id, quota.account_id FOR NO KEY UPDATE OF quota
)
UPDATE user_quota AS quota SET used = quota.used - locked.seats
FROM locked WHERE quota.session_id = locked.session_id AND quota.account_id = locked.account_id
