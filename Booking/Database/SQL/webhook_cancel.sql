UPDATE webhook_delivery SET state = 'cancelled'
WHERE endpoint_id = $1 AND state || '' = 'pending'
