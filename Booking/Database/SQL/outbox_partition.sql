-- As outbox_page, of one partition and up to what is published: for a group that missed a piece of its stream.
SELECT event.id, event.aggregatetype, event.aggregateid, event.seq, event.type, event.payload, event.xid, event.pos,
    event.made_at,
    EXISTS (
        SELECT FROM outbox AS earlier
        WHERE earlier.aggregateid = event.aggregateid AND earlier.seq = event.seq - 1
            AND (earlier.xid, earlier.pos) > (event.xid, event.pos)
    ) AS is_early
FROM outbox AS event
WHERE (event.xid, event.pos) > (($1::text)::xid8, $2) AND (event.xid, event.pos) <= (($3::text)::xid8, $4)
    AND (get_byte(uuid_send(event.aggregateid), 14) * 256 + get_byte(uuid_send(event.aggregateid), 15)) % 10 = $5
ORDER BY event.xid, event.pos LIMIT $6
