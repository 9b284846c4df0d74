SELECT refund.id, refund.order_id, refund.payment_id, refund.kind, refund.state, refund.amount_minor, refund.fee_minor,
    refund.currency, refund.reason, refund.attempt, refund.provider_ref, refund.failure_code, refund.note,
    refund.created_at, payment.provider_ref AS payment_ref, orders.session_id, orders.account_id
FROM refund JOIN orders ON orders.id = ANY(ARRAY[refund.order_id])
    LEFT JOIN payment ON payment.id = ANY(ARRAY[refund.payment_id])
WHERE refund.id = ANY($1::uuid[]) ORDER BY refund.id
