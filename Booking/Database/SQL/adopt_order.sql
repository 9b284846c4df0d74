-- pending, or expired with all its seats again, → authorized.
UPDATE orders SET state = 'authorized', version = orders.version + 1
FROM payment
WHERE payment.id = $1 AND payment.state IN ('failed', 'voided', 'stray') AND payment.captured = 0
    AND orders.id = ANY(ARRAY[payment.order_id]) AND NOT orders.cancel_requested
    AND (orders.state = 'pending' OR orders.state = 'expired' AND EXISTS (
        SELECT FROM user_quota AS quota
        WHERE quota.session_id = orders.session_id AND quota.account_id = orders.account_id
            AND quota.xmin = pg_current_xact_id()::xid
    ))
    AND NOT EXISTS (
        SELECT FROM payment AS other
        WHERE other.order_id = ANY(ARRAY[orders.id]) AND other.state NOT IN ('failed', 'voided', 'stray')
    )
