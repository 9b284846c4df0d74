-- For a group that wants nothing at the moment: everything published counts as handled.
UPDATE event_partition AS held
SET position = greatest(held.position, relay.tails[held.number + 1]), cut_xid = relay.xid, cut_pos = relay.pos
FROM event_relay AS relay
WHERE relay.single AND held.group_name = $1 AND held.owner = $2
    AND (held.cut_xid, held.cut_pos) < (relay.xid, relay.pos)
