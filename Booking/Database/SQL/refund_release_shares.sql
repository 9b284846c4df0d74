UPDATE refund_ticket SET failed = true
FROM refund
WHERE refund_ticket.refund_id = $1 AND refund.id = $1 AND refund.xmin = pg_current_xact_id()::xid
    AND refund.state IN ('rejected', 'failed')
