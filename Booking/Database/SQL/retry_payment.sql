-- Staff want it tried anew: its calls get new keys.
UPDATE payment SET tries = tries + 1, stuck_reason = NULL, lease_until = now()
WHERE id = $1 AND (state IN ('authorizing', 'requires_action', 'unknown', 'authorized', 'capturing', 'voiding')
    OR (state = 'stray' AND captured = 0))
RETURNING id
