SELECT payment.id, payment.order_id, payment.attempt, payment.state, payment.amount_minor, payment.method,
    payment.provider_ref, payment.decline_code, payment.started_at, payment.action_kind, payment.action_value,
    payment.captured, payment.refunded, payment.tries, payment.stuck_reason, orders.session_id, orders.seat_count,
    orders.currency,
    orders.state AS order_state, orders.cancel_requested, orders.deadline
FROM unnest($1::uuid[]) AS leased(payment_id)
    JOIN payment ON payment.id = ANY(ARRAY[leased.payment_id])
    JOIN orders ON orders.id = ANY(ARRAY[payment.order_id])
ORDER BY payment.started_at
