SELECT count(*) AS n, coalesce(extract(epoch FROM now() - min(created_at)) * 1000, 0)::bigint AS oldest_ms
FROM orders WHERE is_waiting
