-- authorizing → unknown, to be looked at again later.
UPDATE payment SET state = 'unknown', lease_until = now() + $2 * interval '1 millisecond'
WHERE id = $1 AND state IN ('authorizing', 'unknown')
