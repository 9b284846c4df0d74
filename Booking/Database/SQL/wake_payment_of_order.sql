-- The live payment of an order is looked at again at once.
UPDATE payment SET lease_until = now()
WHERE order_id = $1 AND state IN ('requires_action', 'unknown', 'authorized')
RETURNING id
