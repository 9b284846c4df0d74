UPDATE payment SET state = 'captured', captured = asked.amount
FROM unnest($1::uuid[], $2::bigint[]) AS asked(payment_id, amount)
WHERE payment.id = ANY(ARRAY[asked.payment_id]) AND payment.state = 'capturing'
