-- Blocks those of the seats that nobody has, and writes down who did it.
WITH blocked AS (
    INSERT INTO seat_claim (session_id, seat_no, state)
    SELECT $1, wanted.seat_no, 'blocked' FROM unnest($2::bigint[]) AS wanted(seat_no)
    ORDER BY wanted.seat_no
    ON CONFLICT (session_id, seat_no) DO NOTHING
    RETURNING seat_no
), noted AS (
    INSERT INTO seat_action (id, session_id, seat_no, action, account_id, reason)
    SELECT $3, $1, seat_no, 'blocked', $4, $5 FROM blocked
), event AS (
    INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
    SELECT 'seats', $3, 1, 'seats.blocked',
        jsonb_build_object(
            'session_id', $1::uuid, 'seats', (SELECT jsonb_agg(seat_no ORDER BY seat_no) FROM blocked),
            'reason', $5::text
        )
    WHERE EXISTS (SELECT FROM blocked)
)
SELECT seat_no FROM blocked ORDER BY seat_no
