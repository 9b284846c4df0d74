SELECT payment.id, payment.order_id, payment.state, payment.amount_minor, orders.currency, payment.captured,
    payment.refunded, payment.refunding, payment.settled, payment.provider_ref
FROM payment JOIN orders ON orders.id = payment.order_id
