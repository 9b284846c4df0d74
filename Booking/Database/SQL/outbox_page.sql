-- The next rows that nothing can come before any more. One is early when the event before it of its aggregate was
-- written by a transaction that began later: it waited for that one's lock.
SELECT event.id, event.aggregatetype, event.aggregateid, event.seq, event.type, event.payload, event.xid, event.pos,
    event.made_at,
    EXISTS (
        SELECT FROM outbox AS earlier
        WHERE earlier.aggregateid = event.aggregateid AND earlier.seq = event.seq - 1
            AND (earlier.xid, earlier.pos) > (event.xid, event.pos)
    ) AS is_early
FROM outbox AS event
WHERE (event.xid, event.pos) > (($1::text)::xid8, $2)
    AND event.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY event.xid, event.pos LIMIT $3
