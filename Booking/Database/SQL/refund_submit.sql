-- requested → submitting when somebody agreed and all its tickets are good still; failed → submitting with a new key.
UPDATE refund SET state = 'submitting', version = version + 1, stuck_reason = NULL, failure_code = NULL,
    provider_ref = NULL, attempt = attempt + CASE state WHEN 'failed' THEN 1 ELSE 0 END, owner = $3,
    lease_until = now() + $4 * interval '1 millisecond'
WHERE id = $1 AND state = $2::text
    AND NOT (SELECT orders.disputed FROM orders WHERE orders.id = refund.order_id)
    AND (
        SELECT count(*) FROM refund_ticket AS share
        WHERE share.refund_id = $1 AND (
            ($2::text = 'requested' AND (SELECT state FROM ticket WHERE ticket.id = share.ticket_id) <> 'valid')
            OR (
            SELECT count(*) FROM refund_ticket AS other
            WHERE other.ticket_id = share.ticket_id AND other.refund_id <> $1 AND NOT other.failed
        ) > 0
        )
    ) = 0
    AND (payment_id IS NULL OR $2::text = 'requested' OR (
        SELECT payment.refunded + payment.refunding + payment.settled + refund.amount_minor <= payment.captured
        FROM payment WHERE payment.id = refund.payment_id
    ))
