SELECT count(*) FILTER (WHERE state = 'pending') AS created, count(*) FILTER (WHERE state = 'failed') AS failed
FROM orders WHERE id = ANY($1::uuid[]) AND xmin = pg_current_xact_id()::xid
