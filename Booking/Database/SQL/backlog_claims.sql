-- Claims the seats of waiting orders; a seat somebody has is passed over. Sorted, so that batches cannot deadlock.
INSERT INTO seat_claim (session_id, seat_no, order_id, state, fence)
SELECT orders.session_id, item.seat_no, orders.id, 'pending', orders.fence
FROM unnest($1::uuid[]) AS due(order_id)
    JOIN orders ON orders.id = ANY(ARRAY[due.order_id]) AND orders.state = 'processing'
    CROSS JOIN LATERAL (SELECT seat_no FROM order_item WHERE order_id = orders.id OFFSET 0) AS item
WHERE (SELECT session.state FROM session WHERE session.id = orders.session_id) = 'on_sale'
ORDER BY orders.session_id, item.seat_no
ON CONFLICT (session_id, seat_no) DO NOTHING
