-- Has the holds of orders freed that ended in this transaction without ever having had a claim. Not when another order
-- was made of the same hold: then the seats are its.
INSERT INTO seat_projection (pos, order_id, outcome)
SELECT (
        SELECT event.pos FROM outbox AS event WHERE event.aggregateid = orders.id AND event.seq = orders.version
    ), orders.id, 'free'
FROM unnest($1::uuid[]) AS due(order_id)
    JOIN orders ON orders.id = ANY(ARRAY[due.order_id]) AND orders.xmin = pg_current_xact_id()::xid
        AND orders.state IN ('cancelled', 'failed')
WHERE (
    SELECT count(*) FROM orders AS other
    WHERE other.account_id = orders.account_id AND other.hold_id = orders.hold_id AND other.id <> orders.id
        AND other.state NOT IN ('cancelled', 'expired', 'failed')
) = 0
