-- processing → failed for an order that the database cannot make at all.
UPDATE orders SET state = 'failed', version = version + 1, failure_code = 'internal_error'
WHERE id = $1 AND state = 'processing'
