UPDATE session_cancellation SET finished_at = now()
WHERE session_id = $1 AND finished_at IS NULL
    AND NOT EXISTS (SELECT FROM seat_claim WHERE seat_claim.session_id = $1 AND order_id IS NOT NULL)
