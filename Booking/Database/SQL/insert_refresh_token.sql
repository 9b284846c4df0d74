INSERT INTO refresh_token (hash, account_id, expires_at) VALUES ($1, $2, $3)
