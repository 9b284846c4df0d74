-- Old events that are published and that no group still has to read, from the front. A group nobody has worked for in a
-- week does not count.
DELETE FROM outbox
WHERE ctid = ANY(ARRAY(
    SELECT front.ctid
    FROM (SELECT ctid, xid, pos, made_at FROM outbox ORDER BY xid, pos LIMIT $2) AS front
    WHERE front.made_at <= now() - $1 * interval '1 millisecond'
        AND (front.xid, front.pos) <= (SELECT event_relay.xid, event_relay.pos FROM event_relay WHERE single)
        AND NOT EXISTS (
            SELECT FROM event_partition AS behind
            WHERE behind.held_until > now() - interval '7 days'
                AND (behind.cut_xid, behind.cut_pos) < (front.xid, front.pos)
        )
))
