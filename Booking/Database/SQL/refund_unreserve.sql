-- A refund that was not to be.
UPDATE payment SET refunding = payment.refunding - refund.amount_minor
FROM refund
WHERE refund.id = $1 AND refund.xmin = pg_current_xact_id()::xid AND refund.state = 'rejected'
    AND payment.id = ANY(ARRAY[refund.payment_id])
