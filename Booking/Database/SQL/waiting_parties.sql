-- Who waits, session by session in the order of service.
SELECT entry.id, entry.session_id, entry.account_id, entry.party_size, entry.areas, entry.together,
    entry.accessible, entry.state, entry.turn, entry.hold_id, entry.offered_until, entry.created_at
FROM waitlist_entry AS entry WHERE entry.state || '' = 'waiting'
ORDER BY entry.session_id, entry.turn LIMIT $1
