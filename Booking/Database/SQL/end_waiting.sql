-- waiting or offered -> cancelled, offered -> declined: by its buyer.
WITH ended AS (
    UPDATE waitlist_entry SET state = $3
    WHERE id = $1 AND account_id = $2 AND (state = 'offered' OR (state = 'waiting' AND $3 = 'cancelled'))
    RETURNING id, session_id, account_id, offers
)
INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
SELECT 'waitlist', id, 2 + offers, 'waitlist.' || $3, jsonb_build_object('session_id', session_id, 'account_id', account_id)
FROM ended
RETURNING pos
