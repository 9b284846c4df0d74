-- Unblocks those of the seats that are blocked, and writes down who did it.
WITH freed AS (
    DELETE FROM seat_claim
    WHERE ctid = ANY(ARRAY(
        SELECT (
            SELECT claim.ctid FROM seat_claim AS claim
            WHERE claim.session_id = $1 AND claim.seat_no = wanted.seat_no AND claim.state = 'blocked'
        )
        FROM unnest($2::bigint[]) AS wanted(seat_no)
    ))
    RETURNING seat_no
), noted AS (
    INSERT INTO seat_action (id, session_id, seat_no, action, account_id, reason)
    SELECT $3, $1, seat_no, 'unblocked', $4, $5 FROM freed
), event AS (
    INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
    SELECT 'seats', $3, 1, 'seats.unblocked',
        jsonb_build_object(
            'session_id', $1::uuid, 'seats', (SELECT jsonb_agg(seat_no ORDER BY seat_no) FROM freed),
            'reason', $5::text
        )
    WHERE EXISTS (SELECT FROM freed)
)
SELECT seat_no FROM freed ORDER BY seat_no
