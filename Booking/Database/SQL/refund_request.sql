-- A refund of an order that is paid: its tickets are good, in no other refund, and its payment has so much left.
INSERT INTO refund (id, order_id, payment_id, kind, state, amount_minor, fee_minor, currency, reason, requested_by,
    created_at, owner, lease_until)
SELECT $1, orders.id, $3, $4, $5, $6::bigint, $7, orders.currency, $8, $9, $10, $11, now() + $12 * interval '1 millisecond'
FROM orders
WHERE orders.id = $2 AND orders.state IN ('paid', 'partially_refunded') AND NOT orders.disputed
    AND cardinality($13::uuid[]) = (
        SELECT count(*) FROM ticket
        WHERE ticket.id = ANY($13::uuid[]) AND ticket.order_id = $2
            AND (ticket.state = 'valid' OR ($14 AND ticket.state = 'checked_in'))
    )
    AND NOT EXISTS (SELECT FROM refund_ticket WHERE ticket_id = ANY($13::uuid[]) AND NOT failed)
    AND CASE
        WHEN $3::uuid IS NULL THEN orders.total_minor = 0 AND $6::bigint = 0
        ELSE EXISTS (
            SELECT FROM payment
            WHERE payment.id = $3 AND payment.order_id = $2 AND payment.state = 'captured'
                AND payment.refunded + payment.refunding + payment.settled + $6::bigint <= payment.captured
        )
    END
ON CONFLICT (id) DO NOTHING
