UPDATE payment SET settled = payment.settled + refund.amount_minor
FROM refund
WHERE refund.id = $1 AND refund.xmin = pg_current_xact_id()::xid AND refund.state = 'settled_manually'
    AND payment.id = ANY(ARRAY[refund.payment_id])
