-- Keeps what is held and takes what is free, up to a fair share of the ten.
UPDATE event_partition SET owner = $2, held_until = now() + $3 * interval '1 millisecond'
WHERE group_name = $1 AND (owner = $2 OR number = ANY(ARRAY(
    SELECT number FROM event_partition
    WHERE group_name = $1 AND owner <> $2 AND (owner = '' OR held_until <= now())
    ORDER BY number LIMIT greatest(0,
        (SELECT (9 + greatest(1, count(*))) / greatest(1, count(*)) FROM event_member
            WHERE group_name = $1 AND seen_until > now())
        - (SELECT count(*) FROM event_partition WHERE group_name = $1 AND owner = $2))
    FOR UPDATE SKIP LOCKED
)))
