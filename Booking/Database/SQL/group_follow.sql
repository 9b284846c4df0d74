-- Where a stream has been read to its end, everything published has been handled.
UPDATE event_partition AS held SET cut_xid = relay.xid, cut_pos = relay.pos
FROM event_relay AS relay
WHERE relay.single AND held.group_name = $1 AND held.owner = $2 AND held.position >= relay.tails[held.number + 1]
    AND (held.cut_xid, held.cut_pos) < (relay.xid, relay.pos)
