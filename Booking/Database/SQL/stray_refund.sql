INSERT INTO refund (id, order_id, payment_id, kind, state, amount_minor, currency, reason, created_at)
SELECT gen_random_uuid(), payment.order_id, payment.id, 'late_payment', 'submitting', payment.captured, $2,
    'the money came when the order could not have it', now()
FROM payment
WHERE payment.id = $1 AND payment.state = 'stray' AND payment.xmin = pg_current_xact_id()::xid AND payment.captured > 0
