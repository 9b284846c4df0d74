-- The quota that such an order took, too.
UPDATE user_quota AS quota SET used = quota.used - ended.seats
FROM (
    SELECT orders.seat_count AS seats, (
        SELECT own.ctid FROM user_quota AS own
        WHERE own.session_id = orders.session_id AND own.account_id = orders.account_id
            AND own.xmin = pg_current_xact_id()::xid
    ) AS place
    FROM payment JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'expired'
    WHERE payment.id = $1
) AS ended
WHERE quota.ctid = ended.place
