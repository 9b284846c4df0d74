DELETE FROM event_parked WHERE group_name = $1 AND event_id = $2 RETURNING event_id
