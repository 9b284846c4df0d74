-- Claims the seats of orders whose key was taken in this transaction. A seat somebody has is passed over; a claim that
-- is being removed or made elsewhere is waited for. Sorted, so that batches cannot deadlock.
INSERT INTO seat_claim (session_id, seat_no, order_id, state, fence)
SELECT asked.session_id, wanted.seat_no, asked.order_id, 'pending', asked.fence
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bytea[]) WITH ORDINALITY
        AS asked(order_id, session_id, fence, seats, scope, key_hash, turn)
    CROSS JOIN LATERAL unnest(asked.seats::int[]) AS wanted(seat_no)
WHERE (SELECT session.state FROM session WHERE session.id = asked.session_id) = 'on_sale'
    AND asked.order_id = (
        SELECT key.resource_id FROM idempotency_key AS key
        WHERE key.scope = asked.scope AND key.key_hash = asked.key_hash AND key.xmin = pg_current_xact_id()::xid
    )
ORDER BY asked.session_id, wanted.seat_no, asked.turn
ON CONFLICT (session_id, seat_no) DO NOTHING
