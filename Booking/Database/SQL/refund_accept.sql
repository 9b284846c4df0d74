-- The provider has it; the bank has the last word.
UPDATE refund SET state = 'pending', provider_ref = coalesce($2, provider_ref), stuck_reason = NULL,
    lease_until = now() + $3 * interval '1 millisecond'
WHERE id = $1 AND state IN ('submitting', 'pending')
