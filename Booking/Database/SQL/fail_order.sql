UPDATE orders SET state = 'failed', version = orders.version + 1
FROM payment
WHERE payment.id = $1 AND payment.state = 'failed' AND payment.xmin = pg_current_xact_id()::xid
    AND orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'confirmed'
