-- The newest payment of each order.
SELECT DISTINCT ON (payment.order_id) payment.id, payment.order_id, payment.attempt, payment.state,
    payment.amount_minor, payment.method, payment.provider_ref, payment.decline_code, payment.started_at,
    orders.session_id, orders.currency
FROM payment JOIN orders ON orders.id = ANY(ARRAY[payment.order_id])
WHERE payment.order_id = ANY($1::uuid[]) ORDER BY payment.order_id, payment.attempt DESC
