-- The provider has money of an attempt that cannot have it: it goes back, what was taken by a refund.
UPDATE payment SET state = 'stray', provider_ref = coalesce(provider_ref, $2), captured = $3::bigint, refunding = $3::bigint,
    authorized = greatest(authorized, amount_minor, $3::bigint), decline_code = coalesce(decline_code, $4), then_order = NULL,
    lease_until = now()
WHERE id = $1 AND state <> 'captured' AND (state <> 'stray' OR (captured = 0 AND $3::bigint > 0))
