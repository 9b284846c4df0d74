-- → capturing, when the order still waits for its money and has all its claims.
UPDATE payment SET state = 'capturing', provider_ref = asked.reference, authorized = asked.authorized,
    then_order = NULL, stuck_reason = NULL
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
        AS asked(payment_id, reference, authorized, ticket_count)
WHERE payment.id = ANY(ARRAY[asked.payment_id])
    AND payment.state IN ('authorizing', 'requires_action', 'unknown', 'authorized', 'voiding')
    AND asked.authorized >= payment.amount_minor
    AND EXISTS (
        SELECT FROM orders
        WHERE orders.id = ANY(ARRAY[payment.order_id]) AND orders.state IN ('authorizing', 'authorized')
            AND NOT orders.cancel_requested AND orders.seat_count = asked.ticket_count
            AND orders.seat_count = (
                SELECT count(*) FROM order_item AS item
                WHERE item.order_id = orders.id AND orders.id = (
                    SELECT claim.order_id FROM seat_claim AS claim
                    WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no
                        AND claim.state = 'pending'
                )
            )
    )
