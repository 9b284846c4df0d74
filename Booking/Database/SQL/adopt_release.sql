-- Claims that an order which stays expired took in this transaction.
DELETE FROM seat_claim
WHERE ctid = ANY(ARRAY(
    SELECT (
        SELECT claim.ctid FROM seat_claim AS claim
        WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.order_id = orders.id
    )
    FROM payment
        JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'expired'
        CROSS JOIN LATERAL (SELECT seat_no FROM order_item WHERE order_id = orders.id OFFSET 0) AS item
    WHERE payment.id = $1
))
