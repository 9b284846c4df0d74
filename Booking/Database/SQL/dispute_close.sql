INSERT INTO dispute (reference, payment_id, state, amount_minor, closed_at) VALUES ($1, $2, $4, $3, now())
ON CONFLICT (reference) DO UPDATE SET state = EXCLUDED.state, closed_at = now() WHERE dispute.state = 'open'
