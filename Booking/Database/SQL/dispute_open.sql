INSERT INTO dispute (reference, payment_id, state, amount_minor) VALUES ($1, $2, 'open', $3)
ON CONFLICT (reference) DO NOTHING
