UPDATE event_relay SET xid = '0', pos = 0
WHERE single AND event_relay.xid > pg_snapshot_xmax(pg_current_snapshot())
