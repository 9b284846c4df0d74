SELECT DISTINCT subject FROM event_parked WHERE group_name = $1
