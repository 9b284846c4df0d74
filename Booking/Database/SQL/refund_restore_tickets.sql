-- The tickets of a refund that failed in this transaction are what they were, or suspended while a dispute is open.
UPDATE ticket SET
    state = CASE WHEN orders.disputed THEN 'suspended' ELSE coalesce(ticket.previous, 'valid') END,
    previous = CASE WHEN orders.disputed THEN ticket.previous END
FROM refund_ticket AS share JOIN refund ON refund.id = ANY(ARRAY[share.refund_id])
    JOIN orders ON orders.id = ANY(ARRAY[refund.order_id])
WHERE share.refund_id = $1 AND refund.xmin = pg_current_xact_id()::xid AND refund.state = 'failed'
    AND ticket.id = ANY(ARRAY[share.ticket_id]) AND ticket.state = 'refund_pending'
