-- What became of each payment asked for, in its order: its order, and that order's live payment.
SELECT orders.id IS NOT NULL AS is_known, orders.state AS order_state,
    orders.attempts >= asked.attempts_max AS is_exhausted,
    asked.asked_at >= orders.deadline AS is_late, payment.id IS NOT DISTINCT FROM asked.payment_id AS is_started,
    payment.id, payment.order_id, payment.attempt, payment.state, payment.amount_minor, payment.method,
    payment.provider_ref, payment.decline_code, payment.started_at, orders.session_id, orders.currency
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::bigint[]) WITH ORDINALITY
        AS asked(payment_id, order_id, account_id, asked_at, attempts_max, turn)
    LEFT JOIN orders ON orders.id = ANY(ARRAY[asked.order_id])
        AND orders.account_id = ANY(ARRAY[asked.account_id])
    LEFT JOIN payment ON payment.order_id = ANY(ARRAY[orders.id]) AND payment.state NOT IN ('failed', 'voided')
ORDER BY asked.turn
