-- Writes the event of the orders that reached a state in this transaction, and what Redis has to show for it.
WITH event AS (
    INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
    SELECT 'order', orders.id, orders.version, $2,
        jsonb_build_object(
            'order_id', orders.id, 'session_id', orders.session_id, 'account_id', orders.account_id,
            'hold_id', orders.hold_id, 'state', orders.state, 'total_minor', orders.total_minor,
            'currency', orders.currency,
            'deadline', to_char(orders.deadline AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'seats', (SELECT jsonb_agg(seat_no ORDER BY seat_no) FROM order_item WHERE order_id = orders.id)
        ) || CASE WHEN orders.failure_code IS NULL THEN '{}'
            ELSE jsonb_build_object('failure_code', orders.failure_code)
        END || CASE WHEN $2 = 'order.paid' THEN jsonb_build_object(
            'tickets', (
                SELECT jsonb_agg(
                    jsonb_build_object('ticket_id', ticket.id, 'seat', ticket.seat_no, 'state', ticket.state)
                    ORDER BY ticket.seat_no
                )
                FROM ticket WHERE ticket.order_id = orders.id
            )
        ) ELSE '{}' END
    FROM (SELECT DISTINCT unnest($1::uuid[])) AS moved(order_id)
        JOIN orders ON orders.id = ANY(ARRAY[moved.order_id]) AND orders.xmin = pg_current_xact_id()::xid
            AND orders.state = $3
    RETURNING pos, aggregateid
)
INSERT INTO seat_projection (pos, order_id, outcome)
SELECT pos, aggregateid, $4::text FROM event WHERE $4::text IS NOT NULL
