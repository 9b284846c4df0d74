-- One delivery for each endpoint that wants the event.
INSERT INTO webhook_delivery (endpoint_id, event_id, type, body)
SELECT endpoint.id, event.id, event.type, event.body
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS event(id, type, body, turn)
    CROSS JOIN webhook_endpoint AS endpoint
WHERE endpoint.enabled AND (endpoint.types = '{}' OR event.type = ANY(endpoint.types))
ORDER BY event.turn
ON CONFLICT ON CONSTRAINT webhook_once DO NOTHING
