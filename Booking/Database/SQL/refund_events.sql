INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
SELECT 'refund', refund.id, refund.version, $2,
    jsonb_build_object(
        'refund_id', refund.id, 'order_id', refund.order_id, 'payment_id', refund.payment_id, 'kind', refund.kind,
        'state', refund.state, 'amount_minor', refund.amount_minor, 'fee_minor', refund.fee_minor,
        'currency', refund.currency, 'reason', refund.reason, 'failure_code', refund.failure_code,
        'tickets', (SELECT jsonb_agg(jsonb_build_object('ticket_id', ticket_id)) FROM refund_ticket WHERE refund_id = $1)
    )
FROM refund WHERE refund.id = $1 AND refund.xmin = pg_current_xact_id()::xid
