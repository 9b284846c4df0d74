DELETE FROM inbox
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM inbox WHERE received_at <= now() - $1 * interval '1 millisecond' ORDER BY received_at LIMIT $2
))
