-- Uses up the quota of the accounts whose waiting orders have all their seats. One order of an account in a batch.
INSERT INTO user_quota AS quota (session_id, account_id, used, lim, last_order_id)
SELECT orders.session_id, orders.account_id, orders.seat_count, session.limit_per_buyer, orders.id
FROM unnest($1::uuid[]) AS due(order_id)
    JOIN orders ON orders.id = ANY(ARRAY[due.order_id]) AND orders.state = 'processing'
    JOIN session ON session.id = ANY(ARRAY[orders.session_id])
WHERE orders.seat_count <= session.limit_per_buyer
    AND orders.seat_count = (
        SELECT count(*) FROM (SELECT seat_no FROM order_item WHERE order_id = orders.id OFFSET 0) AS item
        WHERE orders.id = (
            SELECT claim.order_id FROM seat_claim AS claim
            WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no
        )
    )
ORDER BY orders.session_id, orders.account_id
ON CONFLICT (session_id, account_id) DO UPDATE
SET used = quota.used + EXCLUDED.used, lim = EXCLUDED.lim, last_order_id = EXCLUDED.last_order_id
WHERE quota.used + EXCLUDED.used <= EXCLUDED.lim
