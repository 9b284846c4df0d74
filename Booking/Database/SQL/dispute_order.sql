-- The flag, and for a lost dispute the state, of the order of a dispute that changed in this transaction.
UPDATE orders SET version = orders.version + 1,
    disputed = EXISTS (SELECT FROM dispute AS open WHERE open.payment_id = payment.id AND open.state = 'open'),
    state = CASE
        WHEN dispute.state = 'lost' AND orders.state IN ('paid', 'partially_refunded') AND payment.state = 'captured'
        THEN 'charged_back' ELSE orders.state
    END
FROM dispute JOIN payment ON payment.id = ANY(ARRAY[dispute.payment_id])
WHERE dispute.reference = $1 AND dispute.xmin = pg_current_xact_id()::xid AND orders.id = ANY(ARRAY[payment.order_id])
