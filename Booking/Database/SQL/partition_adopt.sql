UPDATE event_partition SET cut_xid = '0', cut_pos = 0 WHERE cut_xid > pg_snapshot_xmax(pg_current_snapshot())
