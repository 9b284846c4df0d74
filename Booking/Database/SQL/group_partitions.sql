SELECT number, position, cut_xid, cut_pos FROM event_partition WHERE group_name = $1 AND owner = $2 ORDER BY number
