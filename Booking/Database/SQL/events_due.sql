-- Events nobody has finished with: taken again later and later, for three days.
UPDATE provider_event SET attempts = attempts + 1,
    due_at = now() + least(power(2, least(attempts, 12)), 3600) * interval '1 second'
WHERE id = ANY(ARRAY(
    SELECT id FROM provider_event WHERE handled_at IS NULL AND due_at <= now()
    ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
))
RETURNING id, body, received_at < now() - interval '3 days' AS is_over
