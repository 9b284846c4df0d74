SELECT id, url, description, types, enabled, disabled_reason, secret, previous_secret, previous_until, created_at
FROM webhook_endpoint AS endpoint
WHERE enabled AND EXISTS (
    SELECT FROM webhook_delivery AS delivery
    WHERE delivery.endpoint_id = endpoint.id AND delivery.state || '' = 'pending' AND delivery.next_at <= now()
)
