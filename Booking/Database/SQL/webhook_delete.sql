DELETE FROM webhook_endpoint WHERE id = $1 RETURNING id
