-- Somebody gave the money back by other ways.
UPDATE refund SET state = 'settled_manually', note = $2, stuck_reason = NULL, version = version + 1
WHERE id = $1 AND state = 'failed'
    AND (
        SELECT count(*) FROM refund_ticket AS share
        WHERE share.refund_id = $1 AND (
            SELECT count(*) FROM refund_ticket AS other
            WHERE other.ticket_id = share.ticket_id AND other.refund_id <> $1 AND NOT other.failed
        ) > 0
    ) = 0
    AND (
        SELECT payment.refunded + payment.refunding + payment.settled + refund.amount_minor <= payment.captured
        FROM payment WHERE payment.id = refund.payment_id
    )
