SELECT id, payment_id, kind, state, amount_minor,
    ARRAY(SELECT ticket_id FROM refund_ticket WHERE refund_id = refund.id AND NOT failed) AS tickets
FROM refund
