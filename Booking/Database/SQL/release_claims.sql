-- Frees the seats of the orders that ended in this transaction.
DELETE FROM seat_claim AS claim
USING unnest($1::uuid[]) AS moved(order_id)
    JOIN orders ON orders.id = moved.order_id AND orders.xmin = pg_current_xact_id()::xid
        AND orders.state IN ('cancelled', 'expired', 'failed')
    JOIN order_item AS item ON item.order_id = orders.id
WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.order_id = orders.id
