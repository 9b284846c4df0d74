SELECT account.id, account.email, account.role, account.password_hash
FROM refresh_token JOIN account ON account.id = ANY(ARRAY[refresh_token.account_id]) WHERE refresh_token.hash = $1
