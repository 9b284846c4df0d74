-- Before the refund itself fails: its amount is the payment's again.
UPDATE payment SET
    refunding = payment.refunding - CASE WHEN refund.state = 'succeeded' THEN 0 ELSE refund.amount_minor END,
    refunded = payment.refunded - CASE WHEN refund.state = 'succeeded' THEN refund.amount_minor ELSE 0 END
FROM refund
WHERE refund.id = $1 AND refund.state IN ('submitting', 'pending', 'succeeded')
    AND payment.id = ANY(ARRAY[refund.payment_id])
