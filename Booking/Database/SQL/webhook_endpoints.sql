SELECT id, url, description, types, enabled, disabled_reason, secret, previous_secret, previous_until, created_at
FROM webhook_endpoint ORDER BY id
