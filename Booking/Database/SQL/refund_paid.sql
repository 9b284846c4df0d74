UPDATE payment SET refunded = payment.refunded + refund.amount_minor,
    refunding = payment.refunding - CASE refund.kind WHEN 'external' THEN 0 ELSE refund.amount_minor END
FROM refund
WHERE refund.id = $1 AND refund.xmin = pg_current_xact_id()::xid AND refund.state = 'succeeded'
    AND payment.id = ANY(ARRAY[refund.payment_id])
