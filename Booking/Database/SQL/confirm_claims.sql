-- The claims of the orders confirmed in this transaction are sold.
UPDATE seat_claim SET state = 'sold'
WHERE state = 'pending' AND ctid = ANY(ARRAY(
    SELECT (
        SELECT claim.ctid FROM seat_claim AS claim
        WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.order_id = orders.id
    )
    FROM unnest($1::uuid[]) AS asked(payment_id)
        JOIN payment ON payment.id = ANY(ARRAY[asked.payment_id])
        JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'confirmed'
            AND orders.xmin = pg_current_xact_id()::xid
        CROSS JOIN LATERAL (SELECT seat_no FROM order_item WHERE order_id = orders.id OFFSET 0) AS item
))
