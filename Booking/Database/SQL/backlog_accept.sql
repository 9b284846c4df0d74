-- Writes down orders whose key was taken in this transaction, as far as the backlog has room.
INSERT INTO orders (id, session_id, account_id, hold_id, fence, state, seat_count, total_minor, currency, created_at,
    deadline, refund_mode, refund_fee_fixed, refund_fee_basis_points, refund_until, resells)
SELECT asked.order_id, asked.session_id, asked.account_id, asked.hold_id, asked.fence, 'processing', asked.seat_count,
    asked.total, asked.currency, asked.created_at, asked.deadline,
    terms.refund_mode, terms.refund_fee_fixed, terms.refund_fee_basis_points, terms.refund_until, terms.resells
FROM (
    SELECT *, row_number() OVER (ORDER BY turn) AS place
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[],
            $9::timestamptz[], $10::timestamptz[], $11::text[], $12::bytea[]) WITH ORDINALITY
            AS new(order_id, session_id, account_id, hold_id, fence, seat_count, total, currency, created_at, deadline,
                scope, key_hash, turn)
    WHERE new.order_id = (
            SELECT key.resource_id FROM idempotency_key AS key
            WHERE key.scope = new.scope AND key.key_hash = new.key_hash AND key.xmin = pg_current_xact_id()::xid
        )
        AND (SELECT session.state FROM session WHERE session.id = new.session_id) = 'on_sale'
) AS asked
    JOIN session AS terms ON terms.id = ANY(ARRAY[asked.session_id])
WHERE asked.place <= $13::bigint - (
    SELECT count(*) FROM (SELECT FROM orders WHERE is_waiting LIMIT $13::bigint) AS waiting
)
