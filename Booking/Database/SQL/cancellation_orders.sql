-- The next seats of a session that orders have, by seat.
SELECT claim.seat_no, claim.order_id, orders.state, orders.account_id
FROM (
    SELECT seat_no, order_id FROM seat_claim
    WHERE session_id = $1 AND seat_no > $2 AND order_id IS NOT NULL ORDER BY seat_no LIMIT $3
) AS claim JOIN orders ON orders.id = ANY(ARRAY[claim.order_id])
ORDER BY claim.seat_no
