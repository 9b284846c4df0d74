UPDATE payment SET owner = $1, lease_until = now() + $2 * interval '1 millisecond'
WHERE id = ANY(ARRAY(
    SELECT id FROM payment
    WHERE (state || '' IN ('authorizing', 'requires_action', 'unknown', 'authorized', 'capturing', 'voiding')
            OR (state || '' = 'stray' AND captured = 0))
        AND lease_until <= now()
    ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED
))
RETURNING id
