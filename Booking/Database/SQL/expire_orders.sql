UPDATE orders SET state = 'expired', version = version + 1
WHERE id = ANY($1::uuid[]) AND state = 'pending' AND deadline <= now()
    AND NOT EXISTS (
        SELECT FROM payment WHERE payment.order_id = ANY(ARRAY[orders.id]) AND payment.state NOT IN ('failed', 'voided', 'stray')
    )
