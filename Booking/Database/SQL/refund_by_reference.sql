SELECT id FROM refund WHERE provider_ref = $1
