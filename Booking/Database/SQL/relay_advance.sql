-- A batch is published. Whoever has lost the lease meanwhile moves nothing.
UPDATE event_relay SET xid = ($3::text)::xid8, pos = $4, tails = $5::bigint[], batch = batch + 1,
    held_until = now() + $6 * interval '1 millisecond'
WHERE single AND owner = $1 AND batch = $2
RETURNING batch
