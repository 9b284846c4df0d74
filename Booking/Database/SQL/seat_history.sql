-- What happened to one seat: the events of every order that had it, and what staff did. The newest first.
SELECT event.made_at, event.type AS what, orders.id AS order_id, orders.account_id, NULL::text AS reason
FROM (SELECT item.order_id FROM order_item AS item WHERE item.seat_no = $2) AS had
    JOIN orders ON orders.id = ANY(ARRAY[had.order_id]) AND orders.session_id = $1
    JOIN outbox AS event ON event.aggregateid = ANY(ARRAY[orders.id])
UNION ALL
SELECT action.made_at, 'seat.' || action.action, NULL, action.account_id, action.reason
FROM seat_action AS action WHERE action.session_id = $1 AND action.seat_no = $2
ORDER BY made_at DESC, what LIMIT $3
