-- Else they stay away from the sale.
UPDATE seat_claim SET state = 'blocked', order_id = NULL
WHERE ctid = ANY(ARRAY(
    SELECT (
        SELECT claim.ctid FROM seat_claim AS claim
        WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.order_id = orders.id
    )
    FROM orders JOIN session ON session.id = ANY(ARRAY[orders.session_id])
        CROSS JOIN LATERAL (SELECT seat_no FROM ticket
            WHERE ticket.order_id = orders.id AND ticket.state = 'void' AND ticket.xmin = pg_current_xact_id()::xid OFFSET 0) AS item
    WHERE orders.id = $1 AND NOT (orders.resells AND session.starts_at > now())
))
