UPDATE refund SET stuck_reason = NULL, lease_until = now() WHERE id = $1 AND state IN ('submitting', 'pending')
RETURNING id
