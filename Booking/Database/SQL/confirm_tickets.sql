-- One ticket for each seat of the orders confirmed in this transaction.
INSERT INTO ticket (id, session_id, seat_no, order_id, name, number, state)
SELECT given.ticket_id, orders.session_id, item.seat_no, orders.id, item.name, given.number, 'pending'
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[]) AS given(payment_id, place, ticket_id, number)
    JOIN payment ON payment.id = ANY(ARRAY[given.payment_id])
    JOIN orders ON orders.id = ANY(ARRAY[payment.order_id]) AND orders.state = 'confirmed'
        AND orders.xmin = pg_current_xact_id()::xid
    JOIN order_item AS item ON item.order_id = ANY(ARRAY[orders.id]) AND item.place = given.place
