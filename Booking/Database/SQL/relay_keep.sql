UPDATE event_relay SET held_until = now() + $3 * interval '1 millisecond'
WHERE single AND owner = $1 AND batch = $2
RETURNING batch
