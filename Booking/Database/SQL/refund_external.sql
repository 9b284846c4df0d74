-- A refund made at the provider, not here.
INSERT INTO refund (id, order_id, payment_id, kind, state, amount_minor, currency, reason, provider_ref, created_at)
SELECT $1, payment.order_id, payment.id, 'external', 'succeeded', $2, orders.currency, 'made at the provider', $3, now()
FROM payment JOIN orders ON orders.id = ANY(ARRAY[payment.order_id])
WHERE payment.id = $4 AND payment.state IN ('captured', 'stray')
    AND NOT EXISTS (SELECT FROM refund WHERE refund.provider_ref = $3)
