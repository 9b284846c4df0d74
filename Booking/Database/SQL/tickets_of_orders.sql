SELECT id, order_id, session_id, seat_no, name, number, generation, state
FROM ticket WHERE order_id = ANY($1::uuid[]) ORDER BY order_id, seat_no
