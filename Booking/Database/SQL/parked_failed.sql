UPDATE event_parked SET retry = false, attempts = attempts + 1, reason = $3 WHERE group_name = $1 AND event_id = $2
