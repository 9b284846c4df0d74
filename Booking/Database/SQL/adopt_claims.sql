-- An expired order takes its seats again, as far as they are free. Sorted, so that this cannot deadlock.
INSERT INTO seat_claim (session_id, seat_no, order_id, state, fence)
SELECT orders.session_id, item.seat_no, orders.id, 'pending', orders.fence
FROM payment
    JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'expired'
    CROSS JOIN LATERAL (SELECT seat_no FROM order_item WHERE order_id = orders.id OFFSET 0) AS item
WHERE payment.id = $1 AND $2
ORDER BY orders.session_id, item.seat_no
ON CONFLICT (session_id, seat_no) DO NOTHING
