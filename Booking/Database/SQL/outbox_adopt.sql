-- After a restore into another cluster, transactions count from anew: rows from its future are taken over as new ones.
UPDATE outbox SET xid = pg_current_xact_id()
WHERE (outbox.xid, outbox.pos) > (pg_snapshot_xmax(pg_current_snapshot()), 9223372036854775807)
