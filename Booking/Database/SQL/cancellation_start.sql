INSERT INTO session_cancellation (session_id, requested_by, reason, orders_total)
SELECT session.id, $2, $3, (
    SELECT count(DISTINCT order_id) FROM seat_claim WHERE session_id = session.id AND order_id IS NOT NULL
)
FROM session WHERE session.id = $1 AND session.state = 'cancelled'
ON CONFLICT (session_id) DO NOTHING
