UPDATE refund SET state = 'succeeded', provider_ref = coalesce($2, provider_ref), stuck_reason = NULL,
    failure_code = NULL, version = version + 1
WHERE id = $1 AND state IN ('submitting', 'pending')
