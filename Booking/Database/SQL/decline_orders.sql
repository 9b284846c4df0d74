-- authorizing → pending with some time left for another attempt.
UPDATE orders SET state = 'pending', version = orders.version + 1,
    deadline = greatest(orders.deadline, now() + $2 * interval '1 millisecond')
FROM unnest($1::uuid[]) AS asked(payment_id)
    JOIN payment ON payment.id = ANY(ARRAY[asked.payment_id]) AND payment.state = 'failed'
        AND payment.xmin = pg_current_xact_id()::xid
WHERE orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'authorizing'
