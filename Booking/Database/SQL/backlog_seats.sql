-- What the waiting orders of a session keep, in the form of claims.
SELECT item.seat_no, 'pending' AS state, orders.id AS order_id, orders.hold_id, orders.account_id, orders.deadline
FROM orders CROSS JOIN LATERAL (SELECT seat_no FROM order_item WHERE order_id = orders.id OFFSET 0) AS item
WHERE orders.is_waiting AND orders.session_id = $1
ORDER BY orders.created_at, orders.id, item.seat_no
