-- Gathered first, as an account has few: else all tickets would be read in their order until enough are its own.
WITH mine AS MATERIALIZED (
    SELECT ticket.id, ticket.order_id, ticket.session_id, ticket.seat_no, ticket.name, ticket.number,
        ticket.generation, ticket.state
    FROM orders JOIN ticket ON ticket.order_id = ANY(ARRAY[orders.id])
    WHERE orders.account_id = $1 AND ($2::uuid IS NULL OR ticket.id < $2)
)
SELECT * FROM mine ORDER BY id DESC LIMIT $3
