SELECT xid, pos, batch, tails FROM event_relay WHERE single
