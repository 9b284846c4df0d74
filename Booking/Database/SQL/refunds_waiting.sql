-- Refunds that somebody has to decide on, newest first.
SELECT id FROM refund WHERE state || '' IN ('requested', 'failed') AND ($1::uuid IS NULL OR id < $1)
ORDER BY id DESC LIMIT $2
