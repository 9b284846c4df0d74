-- Sorted, so that batches cannot deadlock.
INSERT INTO provider_event (id, body)
SELECT id, body FROM unnest($1::text[], $2::bytea[]) AS told(id, body) ORDER BY id
ON CONFLICT (id) DO NOTHING RETURNING id
