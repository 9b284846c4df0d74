-- Of each order the payment that counts: the live one, else the newest.
SELECT DISTINCT ON (payment.order_id) payment.id, payment.order_id, payment.attempt, payment.state, payment.amount_minor, payment.method,
    payment.provider_ref, payment.decline_code, payment.started_at, payment.action_kind, payment.action_value,
    payment.captured, payment.refunded, payment.tries, payment.stuck_reason, orders.session_id, orders.seat_count,
    orders.currency
FROM payment JOIN orders ON orders.id = ANY(ARRAY[payment.order_id])
WHERE payment.order_id = ANY($1::uuid[])
ORDER BY payment.order_id, payment.state IN ('failed', 'voided', 'stray'), payment.attempt DESC
