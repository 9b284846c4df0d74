-- What of the published events each group has still to handle, as far as it is counted. A group nobody has worked for in a
-- week does not count.
SELECT known.group_name, count(late.made_at) AS waiting,
    coalesce(extract(epoch FROM now() - min(late.made_at)) * 1000, 0)::bigint AS oldest_ms
FROM (
    SELECT DISTINCT group_name FROM event_partition WHERE held_until > now() - interval '7 days'
) AS known
    LEFT JOIN LATERAL (
        SELECT told.made_at
        FROM (
            SELECT event.xid, event.pos, event.made_at,
                (get_byte(uuid_send(event.aggregateid), 14) * 256 + get_byte(uuid_send(event.aggregateid), 15)) % 10
                    AS number
            FROM outbox AS event
            WHERE (event.xid, event.pos) > (
                SELECT behind.cut_xid, behind.cut_pos FROM event_partition AS behind
                WHERE behind.group_name = known.group_name ORDER BY behind.cut_xid, behind.cut_pos LIMIT 1
            ) AND (event.xid, event.pos) <= (SELECT relay.xid, relay.pos FROM event_relay AS relay WHERE relay.single)
            ORDER BY event.xid, event.pos LIMIT $1
        ) AS told
            JOIN event_partition AS held ON held.group_name = known.group_name AND held.number = told.number
                AND (held.cut_xid, held.cut_pos) < (told.xid, told.pos)
    ) AS late ON true
GROUP BY known.group_name
