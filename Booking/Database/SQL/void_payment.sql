UPDATE payment SET state = 'voiding', provider_ref = $2, then_order = $3, stuck_reason = NULL
WHERE id = $1 AND state IN ('authorizing', 'requires_action', 'unknown', 'authorized')
