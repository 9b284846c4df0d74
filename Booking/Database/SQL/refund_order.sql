-- What becomes of the order of a refund done in this transaction.
UPDATE orders SET version = orders.version + 1,
    state = CASE
        WHEN EXISTS (SELECT FROM ticket WHERE ticket.order_id = orders.id AND ticket.state NOT IN ('void', 'expired'))
        THEN 'partially_refunded' ELSE 'refunded'
    END
FROM refund
WHERE refund.id = $1 AND refund.xmin = pg_current_xact_id()::xid AND refund.state IN ('succeeded', 'settled_manually')
    AND refund.kind NOT IN ('late_payment', 'difference') AND orders.id = ANY(ARRAY[refund.order_id])
    AND orders.state IN ('paid', 'partially_refunded')
