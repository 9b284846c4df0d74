-- Gives back what is more than a fair share of the ten.
UPDATE event_partition SET owner = ''
WHERE group_name = $1 AND number = ANY(ARRAY(
    SELECT number FROM event_partition WHERE group_name = $1 AND owner = $2
    ORDER BY number DESC LIMIT greatest(0,
        (SELECT count(*) FROM event_partition WHERE group_name = $1 AND owner = $2)
        - (SELECT (9 + greatest(1, count(*))) / greatest(1, count(*)) FROM event_member
            WHERE group_name = $1 AND seen_until > now()))
))
