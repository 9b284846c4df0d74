-- The capture turned out to be impossible.
UPDATE payment SET state = 'failed', decline_code = $2 WHERE id = $1 AND state = 'capturing'
