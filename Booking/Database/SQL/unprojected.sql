SELECT due.pos, due.outcome, orders.session_id, orders.id AS order_id, orders.hold_id, orders.account_id,
    orders.deadline, coalesce(
        due.seats, (SELECT array_agg(seat_no ORDER BY seat_no) FROM order_item WHERE order_id = orders.id)
    ) AS seats
FROM (SELECT pos, order_id, outcome, seats FROM seat_projection ORDER BY pos LIMIT $1) AS due
    JOIN orders ON orders.id = ANY(ARRAY[due.order_id])
ORDER BY due.pos
