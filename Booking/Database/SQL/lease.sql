INSERT INTO lease AS held (name, owner, held_until) VALUES ($1, $2, now() + $3 * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE SET owner = EXCLUDED.owner, held_until = EXCLUDED.held_until
WHERE held.owner = EXCLUDED.owner OR held.held_until <= now()
RETURNING owner
