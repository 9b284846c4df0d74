-- processing → pending for orders that got their quota in this transaction; from now on there is time to pay.
UPDATE orders SET state = 'pending', version = orders.version + 1,
    deadline = date_trunc('milliseconds', now()) + interval '1 millisecond' * (
        SELECT session.pay_window_ms FROM session WHERE session.id = orders.session_id
    )
FROM unnest($1::uuid[]) AS due(order_id)
WHERE orders.id = ANY(ARRAY[due.order_id]) AND orders.state = 'processing'
    AND orders.id = (
        SELECT quota.last_order_id FROM user_quota AS quota
        WHERE quota.session_id = orders.session_id AND quota.account_id = orders.account_id
            AND quota.xmin = pg_current_xact_id()::xid
    )
