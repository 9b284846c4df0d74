UPDATE event_partition SET owner = '' WHERE group_name = $1 AND owner = $2
