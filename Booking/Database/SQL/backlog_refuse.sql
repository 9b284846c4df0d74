-- processing → failed for the rest of a batch, with the reason.
UPDATE orders SET state = 'failed', version = orders.version + 1, failure_code = CASE
        WHEN (SELECT session.state FROM session WHERE session.id = orders.session_id) = 'paused' THEN 'sale_not_open'
        WHEN (SELECT session.state FROM session WHERE session.id = orders.session_id) <> 'on_sale' THEN 'sale_ended'
        WHEN orders.seat_count > (
            SELECT count(*) FROM (SELECT seat_no FROM order_item WHERE order_id = orders.id OFFSET 0) AS item
            WHERE orders.id = (
                SELECT claim.order_id FROM seat_claim AS claim
                WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no
            )
        ) THEN 'seat_taken'
        ELSE 'purchase_limit_exceeded'
    END
FROM unnest($1::uuid[]) AS due(order_id)
WHERE orders.id = ANY(ARRAY[due.order_id]) AND orders.state = 'processing'
