-- Deliveries of one endpoint that are due, ours until the lease ends.
UPDATE webhook_delivery SET attempts = attempts + 1, next_at = now() + $3 * interval '1 millisecond'
WHERE endpoint_id = $1 AND id = ANY(ARRAY(
    SELECT id FROM webhook_delivery
    WHERE endpoint_id = $1 AND state || '' = 'pending' AND next_at <= now()
    ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED
))
RETURNING *
