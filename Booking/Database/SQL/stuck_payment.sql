UPDATE payment SET stuck_reason = $2, lease_until = now() + $3 * interval '1 millisecond' WHERE id = $1
