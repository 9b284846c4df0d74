-- The order of a payment whose void began in this transaction ends now when the provider only holds a reservation,
-- which a void surely undoes. Else it waits until the void is done.
UPDATE orders SET state = payment.then_order, version = orders.version + 1
FROM payment
WHERE payment.id = $1 AND $2 AND payment.state = 'voiding' AND payment.xmin = pg_current_xact_id()::xid
    AND orders.id = ANY(ARRAY[payment.order_id]) AND orders.state IN ('pending', 'authorizing', 'authorized')
