-- The claims of the order that became paid in this transaction.
UPDATE seat_claim SET state = 'sold'
WHERE state = 'pending' AND ctid = ANY(ARRAY(
    SELECT (
        SELECT claim.ctid FROM seat_claim AS claim
        WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.order_id = orders.id
    )
    FROM orders CROSS JOIN LATERAL (SELECT seat_no FROM order_item WHERE order_id = orders.id OFFSET 0) AS item
    WHERE orders.id = $1 AND orders.state = 'paid' AND orders.xmin = pg_current_xact_id()::xid
))
