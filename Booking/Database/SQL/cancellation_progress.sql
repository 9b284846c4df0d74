SELECT job.orders_total, job.requested_at, job.finished_at, job.reason, (
        SELECT count(DISTINCT order_id) FROM seat_claim
        WHERE seat_claim.session_id = $1 AND order_id IS NOT NULL
    ) AS waiting, (
        SELECT count(DISTINCT claim.order_id) FROM seat_claim AS claim
            JOIN refund ON refund.order_id = ANY(ARRAY[claim.order_id]) AND refund.state = 'failed'
        WHERE claim.session_id = $1
    ) AS failed
FROM session_cancellation AS job WHERE job.session_id = $1
