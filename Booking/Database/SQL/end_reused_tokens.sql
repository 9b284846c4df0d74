-- A token that comes a second time was stolen from somebody: all tokens of the account end.
DELETE FROM refresh_token AS token
USING refresh_token AS shown
WHERE shown.hash = $1 AND shown.used_at IS NOT NULL AND token.account_id = ANY(ARRAY[shown.account_id])
