-- What was taken beyond the due in this transaction goes back.
INSERT INTO refund (id, order_id, payment_id, kind, state, amount_minor, currency, reason, created_at)
SELECT gen_random_uuid(), payment.order_id, payment.id, 'difference', 'submitting', payment.refunding, orders.currency,
    'more was taken than was due', now()
FROM unnest($1::uuid[]) AS asked(payment_id)
    JOIN payment ON payment.id = ANY(ARRAY[asked.payment_id]) AND payment.state = 'captured'
        AND payment.xmin = pg_current_xact_id()::xid AND payment.refunding > 0
    JOIN orders ON orders.id = ANY(ARRAY[payment.order_id])
