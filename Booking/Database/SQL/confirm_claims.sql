-- The claims of the orders confirmed in this transaction are sold.
UPDATE seat_claim AS claim SET state = 'sold'
FROM unnest($1::uuid[]) AS asked(payment_id)
    JOIN payment ON payment.id = asked.payment_id
    JOIN orders ON orders.id = payment.order_id AND orders.state = 'confirmed'
        AND orders.xmin = pg_current_xact_id()::xid
    JOIN order_item AS item ON item.order_id = orders.id
WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.order_id = orders.id
    AND claim.state = 'pending'
