UPDATE payment SET lease_until = now() + $2 * interval '1 millisecond' WHERE id = $1
