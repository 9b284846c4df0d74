UPDATE refund SET owner = $1, lease_until = now() + $2 * interval '1 millisecond'
WHERE id = ANY(ARRAY(
    SELECT id FROM refund
    WHERE state || '' IN ('submitting', 'pending') AND lease_until <= now()
    ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED
))
RETURNING id
