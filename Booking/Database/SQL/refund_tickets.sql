-- Its tickets are not good any more.
UPDATE ticket SET previous = ticket.state, state = 'refund_pending'
FROM refund_ticket AS share JOIN refund ON refund.id = ANY(ARRAY[share.refund_id])
WHERE share.refund_id = $1 AND share.failed IS NOT TRUE AND refund.xmin = pg_current_xact_id()::xid
    AND refund.state IN ('submitting', 'settled_manually')
    AND ticket.id = ANY(ARRAY[share.ticket_id]) AND ticket.state IN ('valid', 'checked_in', 'suspended')
