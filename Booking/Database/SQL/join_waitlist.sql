-- Puts a party on the list unless its buyer has one there, and tells which one that is.
WITH joined AS (
    INSERT INTO waitlist_entry (id, session_id, account_id, party_size, areas, together, accessible, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting')
    ON CONFLICT (session_id, account_id) WHERE state || '' IN ('waiting', 'offered') DO NOTHING
    RETURNING id
), event AS (
    INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
    SELECT 'waitlist', joined.id, 1, 'waitlist.joined',
        jsonb_build_object('session_id', $2::uuid, 'account_id', $3::uuid, 'party_size', $4::bigint)
    FROM joined
)
SELECT joined.id, true AS is_new FROM joined
UNION ALL
SELECT entry.id, false FROM waitlist_entry AS entry
WHERE entry.session_id = $2 AND entry.account_id = $3 AND entry.state || '' IN ('waiting', 'offered')
