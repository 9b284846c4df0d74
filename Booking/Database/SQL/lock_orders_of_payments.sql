-- Every change of a payment begins with the lock of its order, in the order of ids.
SELECT FROM orders
WHERE id = ANY(ARRAY(SELECT order_id FROM payment WHERE id = ANY($1::uuid[])))
ORDER BY id FOR NO KEY UPDATE
