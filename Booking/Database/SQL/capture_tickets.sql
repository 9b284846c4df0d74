-- The tickets of the orders paid in this transaction are valid.
UPDATE ticket SET state = 'valid'
FROM unnest($1::uuid[]) AS asked(payment_id)
    JOIN payment ON payment.id = asked.payment_id
    JOIN orders ON orders.id = payment.order_id AND orders.state = 'paid' AND orders.xmin = pg_current_xact_id()::xid
WHERE ticket.order_id = orders.id AND ticket.state = 'pending'
