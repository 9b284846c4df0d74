-- One saga out of turn, unless somebody works on it. What the provider told of its id is kept.
UPDATE payment SET owner = $2, lease_until = now() + $3 * interval '1 millisecond',
    provider_ref = coalesce(provider_ref, $4)
WHERE id = $1 AND (lease_until <= now() OR state IN ('unknown', 'requires_action', 'failed', 'voided', 'stray'))
RETURNING id
