-- Sorted, so that batches cannot deadlock.
INSERT INTO provider_event (id, body, handled_at)
SELECT id, body, CASE WHEN handled THEN now() END
FROM unnest($1::text[], $2::bytea[], $3::bool[]) AS told(id, body, handled) ORDER BY id
ON CONFLICT (id) DO NOTHING RETURNING id
