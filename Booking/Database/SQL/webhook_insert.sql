INSERT INTO webhook_endpoint (id, url, description, types, secret)
SELECT $1, $2, $3, $4::text[], $5 WHERE (SELECT count(*) FROM webhook_endpoint) < $6
RETURNING id, url, description, types, enabled, disabled_reason, secret, previous_secret, previous_until, created_at
