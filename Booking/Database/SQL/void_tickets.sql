-- The tickets of the order that failed in this transaction.
UPDATE ticket SET state = 'void'
FROM payment JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'failed'
    AND orders.xmin = pg_current_xact_id()::xid
WHERE payment.id = $1 AND ticket.order_id = ANY(ARRAY[orders.id]) AND ticket.state = 'pending'
