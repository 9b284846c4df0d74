-- Removes the claims of orders that failed.
DELETE FROM seat_claim
WHERE ctid = ANY(ARRAY(
    SELECT (
        SELECT claim.ctid FROM seat_claim AS claim
        WHERE claim.session_id = asked.session_id AND claim.seat_no = wanted.seat_no
            AND claim.order_id = asked.order_id
    )
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS asked(order_id, session_id, seats)
        CROSS JOIN LATERAL unnest(asked.seats::int[]) AS wanted(seat_no)
    WHERE (SELECT orders.version FROM orders WHERE orders.id = asked.order_id) IS NULL
))
