-- Writes the orders that got their quota in this transaction.
INSERT INTO orders (id, session_id, account_id, hold_id, fence, state, seat_count, total_minor, currency, created_at,
    deadline, refund_mode, refund_fee_fixed, refund_fee_basis_points, refund_until, resells)
SELECT asked.order_id, asked.session_id, asked.account_id, asked.hold_id, asked.fence, 'pending', asked.seat_count,
    asked.total, asked.currency, asked.created_at, asked.deadline,
    terms.refund_mode, terms.refund_fee_fixed, terms.refund_fee_basis_points, terms.refund_until, terms.resells
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[],
        $9::timestamptz[], $10::timestamptz[])
        AS asked(order_id, session_id, account_id, hold_id, fence, seat_count, total, currency, created_at, deadline)
    JOIN session AS terms ON terms.id = ANY(ARRAY[asked.session_id])
WHERE asked.order_id = (
        SELECT quota.last_order_id FROM user_quota AS quota
        WHERE quota.session_id = asked.session_id AND quota.account_id = asked.account_id
            AND quota.xmin = pg_current_xact_id()::xid
    )
    AND (SELECT orders.version FROM orders WHERE orders.id = asked.order_id) IS NULL
