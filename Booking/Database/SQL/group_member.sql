INSERT INTO event_member AS member (group_name, owner, seen_until)
VALUES ($1, $2, now() + $3 * interval '1 millisecond')
ON CONFLICT (group_name, owner) DO UPDATE SET seen_until = EXCLUDED.seen_until
