SELECT * FROM webhook_delivery
WHERE endpoint_id = $1 AND id < $2 AND ($3::text IS NULL OR state = $3)
ORDER BY id DESC LIMIT $4
