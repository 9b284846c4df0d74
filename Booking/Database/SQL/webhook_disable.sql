UPDATE webhook_endpoint SET enabled = false, disabled_reason = $2 WHERE id = $1
