UPDATE refund SET stuck_reason = coalesce($3, stuck_reason), lease_until = now() + $2 * interval '1 millisecond'
WHERE id = $1 AND state IN ('submitting', 'pending')
