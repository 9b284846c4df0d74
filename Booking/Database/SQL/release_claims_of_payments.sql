-- As release_claims, for the orders of payments.
DELETE FROM seat_claim
WHERE ctid = ANY(ARRAY(
    SELECT (
        SELECT claim.ctid FROM seat_claim AS claim
        WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.order_id = orders.id
    )
    FROM unnest($1::uuid[]) AS moved(payment_id)
        JOIN payment ON payment.id = ANY(ARRAY[moved.payment_id])
        JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.xmin = pg_current_xact_id()::xid
            AND orders.state IN ('cancelled', 'expired', 'failed')
        CROSS JOIN LATERAL (SELECT seat_no FROM order_item WHERE order_id = orders.id OFFSET 0) AS item
))
