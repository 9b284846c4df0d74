UPDATE orders SET state = 'cancelled', version = orders.version + 1
FROM unnest($1::uuid[], $2::uuid[]) AS asked(order_id, account_id)
WHERE orders.id = ANY(ARRAY[asked.order_id]) AND orders.account_id = ANY(ARRAY[asked.account_id])
    AND orders.state = 'pending'
    AND NOT EXISTS (
        SELECT FROM payment WHERE payment.order_id = ANY(ARRAY[orders.id]) AND payment.state NOT IN ('failed', 'voided', 'stray')
    )
