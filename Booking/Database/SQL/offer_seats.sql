-- waiting -> offered, with the hold that keeps the seats.
WITH offered AS (
    UPDATE waitlist_entry SET state = 'offered', hold_id = $2, offered_until = $3, offers = offers + 1
    WHERE id = $1 AND state = 'waiting'
    RETURNING id, session_id, account_id
)
INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
SELECT 'waitlist', id, 2, 'waitlist.offered',
    jsonb_build_object('session_id', session_id, 'account_id', account_id, 'hold_id', $2::uuid,
        'until', to_char($3::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    )
FROM offered
RETURNING pos
