-- authorizing → pending with some time left for another attempt; → cancelled when the buyer wanted that; an order whose
-- authorization is gone has expired.
UPDATE orders SET version = orders.version + 1,
    state = CASE
        WHEN orders.cancel_requested THEN 'cancelled' WHEN orders.state = 'authorized' THEN 'expired' ELSE 'pending'
    END,
    deadline = greatest(orders.deadline, now() + $2 * interval '1 millisecond'),
    attempts_spared = orders.attempts_spared + $3
FROM unnest($1::uuid[]) AS asked(payment_id)
    JOIN payment ON payment.id = ANY(ARRAY[asked.payment_id]) AND payment.state = 'failed'
        AND payment.xmin = pg_current_xact_id()::xid
WHERE orders.id = ANY(ARRAY[payment.order_id]) AND orders.state IN ('authorizing', 'authorized')
