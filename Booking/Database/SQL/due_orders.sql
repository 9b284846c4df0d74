SELECT id FROM orders WHERE is_due AND deadline <= now() ORDER BY deadline LIMIT $1
