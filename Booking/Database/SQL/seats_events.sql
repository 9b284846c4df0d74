-- The event of an order that changed in this transaction, and what Redis has to show of the seats it lost.
WITH event AS (
    INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
    SELECT 'order', orders.id, orders.version, $2,
        jsonb_build_object(
            'order_id', orders.id, 'session_id', orders.session_id, 'account_id', orders.account_id,
            'hold_id', orders.hold_id, 'state', orders.state, 'total_minor', orders.total_minor,
            'currency', orders.currency, 'disputed', orders.disputed,
            'seats', (
                SELECT jsonb_agg(seat_no ORDER BY seat_no) FROM ticket
                WHERE ticket.order_id = orders.id AND ticket.state = 'void'
                    AND ticket.xmin = pg_current_xact_id()::xid
            ),
            'tickets', (
                SELECT jsonb_agg(
                    jsonb_build_object('ticket_id', ticket.id, 'seat', ticket.seat_no, 'state', ticket.state)
                    ORDER BY ticket.seat_no
                )
                FROM ticket WHERE ticket.order_id = orders.id AND ticket.xmin = pg_current_xact_id()::xid
            ),
            'payment_id', payment.id, 'payment_state', payment.state
        )
    FROM orders
        LEFT JOIN payment ON payment.order_id = ANY(ARRAY[orders.id]) AND payment.state = 'captured'
    WHERE orders.id = $1 AND orders.xmin = pg_current_xact_id()::xid
    RETURNING pos, aggregateid
)
INSERT INTO seat_projection (pos, order_id, outcome, seats)
SELECT event.pos, orders.id,
    CASE WHEN orders.resells AND session.starts_at > now() THEN 'free' ELSE 'blocked' END, gone.seats
FROM event JOIN orders ON orders.id = ANY(ARRAY[event.aggregateid])
    JOIN session ON session.id = ANY(ARRAY[orders.session_id])
    CROSS JOIN LATERAL (
        SELECT array_agg(seat_no ORDER BY seat_no) AS seats FROM ticket
        WHERE ticket.order_id = orders.id AND ticket.state = 'void' AND ticket.xmin = pg_current_xact_id()::xid
    ) AS gone
WHERE gone.seats IS NOT NULL
