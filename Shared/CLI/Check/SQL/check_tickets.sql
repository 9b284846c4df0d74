SELECT id, order_id, session_id, seat_no, number, state FROM ticket
