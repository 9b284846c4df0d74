-- The order that waited for the void done in this transaction.
UPDATE orders SET state = coalesce(payment.then_order, 'expired'), version = orders.version + 1,
    deadline = greatest(orders.deadline, now() + $2 * interval '1 millisecond')
FROM payment
WHERE payment.id = $1 AND payment.state = 'voided' AND payment.xmin = pg_current_xact_id()::xid
    AND orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'authorizing'
