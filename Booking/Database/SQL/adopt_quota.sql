-- Uses the quota of an expired order again, when all its seats are claimed and the limit allows it.
UPDATE user_quota AS quota SET used = quota.used + ended.seats
FROM (
    SELECT orders.seat_count AS seats, (
        SELECT own.ctid FROM user_quota AS own
        WHERE own.session_id = orders.session_id AND own.account_id = orders.account_id
    ) AS place
    FROM payment JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'expired'
    WHERE payment.id = $1 AND $2 AND orders.seat_count = (
        SELECT count(*) FROM order_item AS item
        WHERE item.order_id = orders.id AND orders.id = (
            SELECT claim.order_id FROM seat_claim AS claim
            WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no
        )
    )
) AS ended
WHERE quota.ctid = ended.place AND quota.used + ended.seats <= quota.lim
