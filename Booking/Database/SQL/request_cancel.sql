-- An order that is being paid: the provider has to agree before it can be cancelled.
UPDATE orders SET cancel_requested = true
WHERE id = $1 AND account_id = $2 AND state IN ('authorizing', 'authorized')
RETURNING id
