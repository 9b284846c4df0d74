DELETE FROM refresh_token WHERE hash = $1
