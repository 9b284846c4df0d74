-- The seats each order asked for and did not get.
SELECT asked.order_id, array_agg(wanted.seat_no ORDER BY wanted.seat_no) AS seats
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS asked(order_id, session_id, seats)
    CROSS JOIN LATERAL unnest(asked.seats::int[]) AS wanted(seat_no)
WHERE asked.order_id IS DISTINCT FROM (
    SELECT claim.order_id FROM seat_claim AS claim
    WHERE claim.session_id = asked.session_id AND claim.seat_no = wanted.seat_no
)
GROUP BY asked.order_id
