UPDATE payment SET state = 'voiding', provider_ref = $2
WHERE id = $1 AND state IN ('authorizing', 'unknown', 'authorized')
