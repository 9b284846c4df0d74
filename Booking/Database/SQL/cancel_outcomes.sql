SELECT orders.state,
    coalesce(orders.xmin = pg_current_xact_id()::xid AND orders.state = 'cancelled', false) AS is_cancelled
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked(order_id, account_id, turn)
    LEFT JOIN orders ON orders.id = ANY(ARRAY[asked.order_id])
        AND orders.account_id = ANY(ARRAY[asked.account_id])
ORDER BY asked.turn
