SELECT claim.seat_no, claim.state, claim.order_id, orders.hold_id, orders.account_id,
    CASE claim.state WHEN 'pending' THEN orders.deadline END AS deadline
FROM seat_claim AS claim LEFT JOIN orders ON orders.id = ANY(ARRAY[claim.order_id])
WHERE claim.session_id = $1 ORDER BY claim.seat_no
