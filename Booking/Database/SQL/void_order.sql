-- The order of a payment whose void began in this transaction ends, unless it has ended before.
UPDATE orders SET state = 'expired', version = orders.version + 1
FROM payment
WHERE payment.id = $1 AND payment.state = 'voiding' AND payment.xmin = pg_current_xact_id()::xid
    AND orders.id = ANY(ARRAY[payment.order_id]) AND orders.state IN ('pending', 'authorizing', 'authorized')
