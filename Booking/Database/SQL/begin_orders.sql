-- pending → authorizing, and the payment row, for orders that may be paid. The key of the request is kept with the
-- attempt it began, and begins no other one.
WITH started AS (
    UPDATE orders SET state = 'authorizing', attempts = orders.attempts + 1
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[],
        $8::bigint[], $9::bytea[], $10::bytea[])
        AS asked(payment_id, order_id, account_id, method, owner, lease_ms, asked_at, attempts_max, key_hash,
            fingerprint)
    WHERE orders.id = ANY(ARRAY[asked.order_id])
        AND orders.account_id = ANY(ARRAY[asked.account_id]) AND orders.state = 'pending'
        AND asked.asked_at < orders.deadline
        AND orders.attempts - orders.attempts_spared < asked.attempts_max AND orders.attempts_spared < 20
        AND orders.total_minor > 0
        AND NOT EXISTS (
            SELECT FROM payment
            WHERE payment.order_id = ANY(ARRAY[orders.id])
                AND (payment.state NOT IN ('failed', 'voided', 'stray') OR payment.key_hash = asked.key_hash)
        )
    RETURNING asked.*, orders.attempts, orders.total_minor
)
INSERT INTO payment (id, order_id, attempt, state, method, amount_minor, started_at, owner, lease_until, key_hash,
    fingerprint)
SELECT payment_id, order_id, attempts, 'authorizing', method, total_minor, asked_at, owner,
    now() + lease_ms * interval '1 millisecond', key_hash, fingerprint
FROM started
