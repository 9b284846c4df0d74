-- The tickets of the orders paid in this transaction are valid.
UPDATE ticket SET state = 'valid'
FROM unnest($1::uuid[]) AS asked(payment_id)
    JOIN payment ON payment.id = ANY(ARRAY[asked.payment_id])
    JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'paid'
        AND orders.xmin = pg_current_xact_id()::xid
WHERE ticket.order_id = ANY(ARRAY[orders.id]) AND ticket.state = 'pending'
