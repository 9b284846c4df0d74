UPDATE payment SET state = 'failed', decline_code = asked.code,
    provider_ref = coalesce(asked.reference, payment.provider_ref), stuck_reason = NULL
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS asked(payment_id, code, reference)
WHERE payment.id = ANY(ARRAY[asked.payment_id])
    AND payment.state IN ('authorizing', 'requires_action', 'unknown', 'authorized')
