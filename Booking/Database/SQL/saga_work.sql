SELECT payment.id, payment.order_id, payment.attempt, payment.state, payment.amount_minor, payment.method,
    payment.provider_ref, payment.decline_code, payment.started_at, orders.session_id, orders.currency,
    orders.state AS order_state
FROM unnest($1::uuid[]) AS leased(payment_id)
    JOIN payment ON payment.id = ANY(ARRAY[leased.payment_id])
    JOIN orders ON orders.id = ANY(ARRAY[payment.order_id])
ORDER BY payment.started_at
