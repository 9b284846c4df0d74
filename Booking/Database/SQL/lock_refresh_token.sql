SELECT FROM refresh_token WHERE hash = $1 FOR UPDATE
