-- Its order, when it still waited for that money: it may be paid again, unless its tickets were out already.
UPDATE orders SET version = orders.version + 1,
    state = CASE
        WHEN orders.state = 'confirmed' THEN 'failed' WHEN orders.cancel_requested THEN 'cancelled'
        WHEN orders.state = 'authorized' THEN 'expired' ELSE 'pending'
    END,
    deadline = greatest(orders.deadline, now() + $2 * interval '1 millisecond')
FROM payment
WHERE payment.id = $1 AND payment.state = 'stray' AND payment.xmin = pg_current_xact_id()::xid
    AND orders.id = ANY(ARRAY[payment.order_id]) AND orders.state IN ('authorizing', 'authorized', 'confirmed')
    AND NOT EXISTS (
        SELECT FROM payment AS other
        WHERE other.order_id = ANY(ARRAY[orders.id]) AND other.state NOT IN ('failed', 'voided', 'stray')
    )
