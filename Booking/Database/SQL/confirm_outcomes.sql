SELECT coalesce(orders.state = 'confirmed' AND orders.xmin = pg_current_xact_id()::xid, false) AS is_confirmed,
    orders.state AS order_state, payment.state AS payment_state
FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(payment_id, turn)
    LEFT JOIN payment ON payment.id = ANY(ARRAY[asked.payment_id])
    LEFT JOIN orders ON orders.id = ANY(ARRAY[payment.order_id])
ORDER BY asked.turn
