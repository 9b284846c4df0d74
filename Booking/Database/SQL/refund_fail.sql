UPDATE refund SET state = 'failed', failure_code = $2, provider_ref = coalesce($3, provider_ref),
    version = version + 1
WHERE id = $1 AND state IN ('submitting', 'pending', 'succeeded')
