WITH used AS (
    UPDATE refresh_token SET used_at = $4 WHERE hash = $1 AND used_at IS NULL AND expires_at > $4
    RETURNING account_id
)
INSERT INTO refresh_token (hash, account_id, expires_at) SELECT $2, account_id, $3 FROM used
