-- Opened: suspended. Won: what they were. Lost: void.
UPDATE ticket SET
    state = CASE dispute.state
        WHEN 'open' THEN 'suspended' WHEN 'lost' THEN 'void' ELSE coalesce(ticket.previous, 'valid') END,
    previous = CASE dispute.state WHEN 'open' THEN ticket.state END
FROM dispute JOIN payment ON payment.id = ANY(ARRAY[dispute.payment_id]) AND payment.state = 'captured'
WHERE dispute.reference = $1 AND dispute.xmin = pg_current_xact_id()::xid
    AND ticket.order_id = ANY(ARRAY[payment.order_id])
    AND ticket.state = ANY(
        CASE dispute.state
            WHEN 'open' THEN ARRAY['valid', 'checked_in'] WHEN 'won' THEN ARRAY['suspended']
            ELSE ARRAY['valid', 'checked_in', 'checked_out', 'suspended', 'refund_pending']
        END
    )
