SELECT * FROM event_parked ORDER BY parked_at, group_name, subject, sequence LIMIT $1
