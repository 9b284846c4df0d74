UPDATE orders SET state = 'confirmed', version = orders.version + 1
FROM unnest($1::uuid[]) AS asked(payment_id)
    JOIN payment ON payment.id = ANY(ARRAY[asked.payment_id]) AND payment.state = 'capturing'
        AND payment.xmin = pg_current_xact_id()::xid
WHERE orders.id = ANY(ARRAY[payment.order_id]) AND orders.state IN ('authorizing', 'authorized')
