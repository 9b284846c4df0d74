-- The tickets of a refund done in this transaction; all of the order when nothing of its money is left.
UPDATE ticket SET state = 'void', previous = NULL
FROM refund
WHERE refund.id = $1 AND refund.xmin = pg_current_xact_id()::xid AND refund.state IN ('succeeded', 'settled_manually')
    AND ticket.order_id = ANY(ARRAY[refund.order_id])
    AND (
        ticket.state = 'refund_pending' AND (
            SELECT share.failed FROM refund_ticket AS share
            WHERE share.refund_id = $1 AND share.ticket_id = ticket.id
        ) IS FALSE
        OR ticket.state IN ('valid', 'checked_in', 'checked_out', 'suspended')
            AND refund.kind NOT IN ('late_payment', 'difference')
            AND (
                SELECT payment.state = 'captured' AND payment.refunded + payment.settled = payment.captured
                FROM payment WHERE payment.id = refund.payment_id
            )
    )
