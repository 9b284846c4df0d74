SELECT coalesce(payment.state = 'captured', false) AS is_captured
FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(payment_id, turn)
    LEFT JOIN payment ON payment.id = ANY(ARRAY[asked.payment_id])
ORDER BY asked.turn
