-- More than was due is given back in the same transaction.
UPDATE payment SET state = 'captured', captured = asked.amount, authorized = greatest(payment.authorized, asked.amount),
    refunding = greatest(0, asked.amount - payment.amount_minor), stuck_reason = NULL
FROM unnest($1::uuid[], $2::bigint[]) AS asked(payment_id, amount)
WHERE payment.id = ANY(ARRAY[asked.payment_id]) AND payment.state = 'capturing'
    AND asked.amount >= payment.amount_minor
