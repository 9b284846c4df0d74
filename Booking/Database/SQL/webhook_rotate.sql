UPDATE webhook_endpoint SET previous_secret = secret, previous_until = now() + $3 * interval '1 millisecond', secret = $2
WHERE id = $1
RETURNING id, url, description, types, enabled, disabled_reason, secret, previous_secret, previous_until, created_at
