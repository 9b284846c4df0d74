SELECT id FROM orders WHERE state || '' = 'pending' AND deadline <= now() ORDER BY deadline LIMIT $1
