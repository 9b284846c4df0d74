-- Removes the claims of orders that failed.
DELETE FROM seat_claim AS claim
USING unnest($1::uuid[], $2::uuid[], $3::text[]) AS asked(order_id, session_id, seats)
    CROSS JOIN LATERAL unnest(asked.seats::int[]) AS wanted(seat_no)
WHERE claim.session_id = asked.session_id AND claim.seat_no = wanted.seat_no AND claim.order_id = asked.order_id
    AND NOT EXISTS (SELECT FROM orders WHERE orders.id = asked.order_id)
