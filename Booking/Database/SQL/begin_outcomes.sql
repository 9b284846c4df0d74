-- What became of each payment asked for, in its order: its order, and that order's attempt of the same key, else its
-- live one.
SELECT orders.id IS NOT NULL AS is_known, orders.state AS order_state,
    orders.attempts - orders.attempts_spared >= asked.attempts_max OR orders.attempts_spared >= 20 AS is_exhausted,
    asked.asked_at >= orders.deadline AS is_late, orders.total_minor = 0 AS is_free,
    payment.id IS NOT DISTINCT FROM asked.payment_id AS is_started,
    coalesce(payment.key_hash = asked.key_hash, false) AS is_keyed,
    coalesce(payment.fingerprint = asked.fingerprint, false) AS is_same,
    payment.id, payment.order_id, payment.attempt, payment.state, payment.amount_minor, payment.method,
    payment.provider_ref, payment.decline_code, payment.started_at, payment.action_kind, payment.action_value,
    payment.captured, payment.refunded, payment.tries, payment.stuck_reason, orders.session_id, orders.seat_count,
    orders.currency
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::bigint[], $6::bytea[], $7::bytea[])
        WITH ORDINALITY
        AS asked(payment_id, order_id, account_id, asked_at, attempts_max, key_hash, fingerprint, turn)
    LEFT JOIN orders ON orders.id = ANY(ARRAY[asked.order_id])
        AND orders.account_id = ANY(ARRAY[asked.account_id])
    LEFT JOIN LATERAL (
        SELECT * FROM payment AS own
        WHERE own.order_id = orders.id
            AND (own.key_hash = asked.key_hash OR own.state NOT IN ('failed', 'voided', 'stray'))
        ORDER BY coalesce(own.key_hash = asked.key_hash, false) DESC, own.attempt DESC LIMIT 1
    ) AS payment ON true
ORDER BY asked.turn
