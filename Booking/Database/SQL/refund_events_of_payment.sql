-- As refund_events, for the refunds that payments brought about in this transaction.
INSERT INTO outbox (aggregatetype, aggregateid, seq, type, payload)
SELECT 'refund', refund.id, refund.version, 'refund.submitted',
    jsonb_build_object(
        'refund_id', refund.id, 'order_id', refund.order_id, 'payment_id', refund.payment_id, 'kind', refund.kind,
        'state', refund.state, 'amount_minor', refund.amount_minor, 'fee_minor', refund.fee_minor,
        'currency', refund.currency, 'reason', refund.reason
    )
FROM unnest($1::uuid[]) AS asked(payment_id)
    JOIN payment ON payment.id = ANY(ARRAY[asked.payment_id]) AND payment.xmin = pg_current_xact_id()::xid
        AND payment.refunding > 0
    JOIN refund ON refund.order_id = ANY(ARRAY[payment.order_id]) AND refund.payment_id = ANY(ARRAY[payment.id])
        AND refund.xmin = pg_current_xact_id()::xid
