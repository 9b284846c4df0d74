SELECT ticket.id, ticket.order_id, ticket.session_id, ticket.seat_no, ticket.name, ticket.number, ticket.generation,
    ticket.state
FROM orders JOIN ticket ON ticket.order_id = orders.id
WHERE orders.account_id = $1 AND ($2::uuid IS NULL OR ticket.id < $2)
ORDER BY ticket.id DESC LIMIT $3
