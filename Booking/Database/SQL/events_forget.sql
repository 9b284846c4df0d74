-- Events of a month ago, a few at a time.
DELETE FROM provider_event
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM provider_event WHERE handled_at <= now() - interval '30 days'
    ORDER BY handled_at LIMIT 1000 FOR UPDATE SKIP LOCKED
))
