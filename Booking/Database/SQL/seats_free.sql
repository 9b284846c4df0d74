-- The seats of an order's tickets that became void in this transaction are sold again, when that is wanted and there is
-- time for it.
DELETE FROM seat_claim
WHERE ctid = ANY(ARRAY(
    SELECT (
        SELECT claim.ctid FROM seat_claim AS claim
        WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.order_id = orders.id
    )
    FROM orders JOIN session ON session.id = ANY(ARRAY[orders.session_id])
        CROSS JOIN LATERAL (SELECT seat_no FROM ticket
            WHERE ticket.order_id = orders.id AND ticket.state = 'void' AND ticket.xmin = pg_current_xact_id()::xid OFFSET 0) AS item
    WHERE orders.id = $1 AND orders.resells AND session.starts_at > now()
))
