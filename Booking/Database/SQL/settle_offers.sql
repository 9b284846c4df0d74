-- offered -> purchased when an order of its hold is paid; -> offer_expired when its time is over and no order is under
-- way.
WITH due AS (
    SELECT entry.id,
        EXISTS (
            SELECT FROM orders WHERE orders.account_id = entry.account_id AND orders.hold_id = entry.hold_id
                AND orders.state IN ('processing', 'pending', 'authorizing', 'authorized', 'confirmed')
        ) AS is_open,
        EXISTS (
            SELECT FROM orders WHERE orders.account_id = entry.account_id AND orders.hold_id = entry.hold_id
                AND orders.state NOT IN ('processing', 'pending', 'authorizing', 'authorized', 'confirmed', 'cancelled',
                    'expired', 'failed')
        ) AS is_bought
    FROM waitlist_entry AS entry
    WHERE entry.state || '' = 'offered' AND entry.offered_until < now()
    ORDER BY entry.offered_until LIMIT $1
), settled AS (
    UPDATE waitlist_entry AS entry SET state = CASE WHEN due.is_bought THEN 'purchased' ELSE 'offer_expired' END
    FROM due WHERE entry.id = ANY(ARRAY[due.id]) AND NOT due.is_open AND entry.state = 'offered' AND entry.offered_until < now()
    RETURNING entry.id, entry.session_id, entry.account_id, entry.state
)
INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
SELECT 'waitlist', id, 3, 'waitlist.' || state, jsonb_build_object('session_id', session_id, 'account_id', account_id)
FROM settled
RETURNING pos
