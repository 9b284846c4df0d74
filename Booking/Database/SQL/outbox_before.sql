-- What must be published before an early event, although its turn comes later.
SELECT event.id, event.aggregatetype, event.aggregateid, event.seq, event.type, event.payload, event.xid, event.pos,
    event.made_at, false AS is_early
FROM outbox AS event
WHERE event.aggregateid = $1 AND event.seq < $2 AND (event.xid, event.pos) > (($3::text)::xid8, $4)
ORDER BY event.seq
