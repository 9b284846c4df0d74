UPDATE event_partition SET position = moved.position, cut_xid = moved.cut_xid::xid8, cut_pos = moved.cut_pos
FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::bigint[]) AS moved(number, position, cut_xid, cut_pos)
WHERE event_partition.group_name = $1 AND event_partition.number = moved.number AND event_partition.owner = $2
