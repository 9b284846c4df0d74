-- Every change of an order begins with its lock, in the order of ids.
SELECT FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
