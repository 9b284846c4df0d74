SELECT session_id, seat_no, order_id, state FROM seat_claim
