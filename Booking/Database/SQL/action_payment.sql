-- → requires_action with what the buyer has to do.
UPDATE payment SET state = 'requires_action', provider_ref = coalesce(provider_ref, $2), action_kind = $3,
    action_value = $4, lease_until = now() + $5 * interval '1 millisecond', stuck_reason = NULL
WHERE id = $1 AND state IN ('authorizing', 'unknown', 'requires_action')
