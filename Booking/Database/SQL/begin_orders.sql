-- pending → authorizing, and the payment row, for orders that may be paid.
WITH started AS (
    UPDATE orders SET state = 'authorizing', attempts = orders.attempts + 1
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[],
        $8::bigint[]) AS asked(payment_id, order_id, account_id, method, owner, lease_ms, asked_at, attempts_max)
    WHERE orders.id = ANY(ARRAY[asked.order_id])
        AND orders.account_id = ANY(ARRAY[asked.account_id]) AND orders.state = 'pending'
        AND asked.asked_at < orders.deadline AND orders.attempts < asked.attempts_max
        AND NOT EXISTS (
            SELECT FROM payment
            WHERE payment.order_id = ANY(ARRAY[orders.id]) AND payment.state NOT IN ('failed', 'voided')
        )
    RETURNING asked.*, orders.attempts, orders.total_minor
)
INSERT INTO payment (id, order_id, attempt, state, method, amount_minor, started_at, owner, lease_until)
SELECT payment_id, order_id, attempts, 'authorizing', method, total_minor, asked_at, owner,
    now() + lease_ms * interval '1 millisecond'
FROM started
