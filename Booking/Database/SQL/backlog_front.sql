-- The orders that have waited longest.
SELECT orders.id, orders.session_id, orders.account_id,
    (SELECT array_agg(seat_no ORDER BY seat_no) FROM order_item WHERE order_id = orders.id) AS seats
FROM orders WHERE orders.is_waiting ORDER BY orders.created_at, orders.id LIMIT $1
