DELETE FROM event_member WHERE group_name = $1 AND owner = $2
