UPDATE webhook_delivery SET state = ended.state, next_at = now() + ended.pause_ms * interval '1 millisecond',
    last_at = now(), last_status = ended.status, last_error = ended.error, last_ms = ended.took_ms
FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[])
    AS ended(id, number, state, pause_ms, status, error, took_ms)
WHERE webhook_delivery.endpoint_id = $1 AND webhook_delivery.id = ANY(ARRAY[ended.id])
    AND webhook_delivery.attempts = ended.number
    AND webhook_delivery.state = 'pending'
