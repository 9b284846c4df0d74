-- One text for each order that changes with anything its buyer can see.
SELECT orders.id, concat_ws(
    ':', orders.version, orders.state, orders.deadline, orders.disputed, orders.cancel_requested,
    (SELECT string_agg(concat_ws('.', state, captured, refunded), ',' ORDER BY attempt)
        FROM payment WHERE payment.order_id = orders.id),
    (SELECT string_agg(state, ',' ORDER BY id) FROM refund WHERE refund.order_id = orders.id),
    (SELECT string_agg(state, ',' ORDER BY id) FROM ticket WHERE ticket.order_id = orders.id)
) AS stamp
FROM orders WHERE orders.id = ANY($1::uuid[])
