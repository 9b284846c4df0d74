-- As release_claims, for the orders of payments.
DELETE FROM seat_claim AS claim
USING unnest($1::uuid[]) AS moved(payment_id)
    JOIN payment ON payment.id = moved.payment_id
    JOIN orders ON orders.id = payment.order_id AND orders.xmin = pg_current_xact_id()::xid
        AND orders.state IN ('cancelled', 'expired', 'failed')
    JOIN order_item AS item ON item.order_id = orders.id
WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.order_id = orders.id
