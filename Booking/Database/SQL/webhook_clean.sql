DELETE FROM webhook_delivery
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM webhook_delivery
    WHERE created_at <= now() - $1 * interval '1 millisecond' ORDER BY created_at LIMIT $2
))
