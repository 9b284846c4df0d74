-- Sent once more, with three days of its own from now.
UPDATE webhook_delivery SET state = 'pending', next_at = now(), attempts = 0, created_at = now()
WHERE id = $2 AND endpoint_id = $1
RETURNING *
