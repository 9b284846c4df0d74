INSERT INTO provider_event (id, body, handled_at) VALUES ($1, $2, CASE WHEN $3 THEN now() END)
ON CONFLICT (id) DO NOTHING RETURNING id
