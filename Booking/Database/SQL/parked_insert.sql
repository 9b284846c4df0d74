INSERT INTO event_parked (group_name, event_id, partition, subject, sequence, type, body, attempts, reason)
SELECT $1, event_id, partition, subject, sequence, type, body, attempts, reason
FROM unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::text[])
    AS given(event_id, partition, subject, sequence, type, body, attempts, reason)
