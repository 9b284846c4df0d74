-- How much waits to be published, as far as it is counted.
SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(made_at)) * 1000, 0)::bigint AS oldest_ms
FROM (
    SELECT outbox.made_at FROM outbox
    WHERE (outbox.xid, outbox.pos) > (($1::text)::xid8, $2)
    ORDER BY outbox.xid, outbox.pos LIMIT $3
) AS unpublished
