-- Its tickets are in no other refund while it goes on.
UPDATE refund_ticket SET failed = false
FROM refund
WHERE refund_ticket.refund_id = $1 AND refund_ticket.failed AND refund.id = $1 AND refund.xmin = pg_current_xact_id()::xid
    AND refund.state IN ('submitting', 'settled_manually')
