-- The lease, with a batch number that nobody has used.
UPDATE event_relay SET owner = $1, held_until = now() + $2 * interval '1 millisecond',
    batch = greatest(batch, $3) + 1
WHERE single AND (owner = $1 OR held_until <= now())
RETURNING xid, pos, batch, tails
