-- Its tickets, valid at once.
INSERT INTO ticket (id, session_id, seat_no, order_id, name, number, state)
SELECT given.ticket_id, orders.session_id, item.seat_no, orders.id, item.name, given.number, 'valid'
FROM unnest($2::bigint[], $3::uuid[], $4::text[]) AS given(place, ticket_id, number)
    JOIN orders ON orders.id = ANY(ARRAY[$1::uuid]) AND orders.state = 'paid'
        AND orders.xmin = pg_current_xact_id()::xid
    JOIN order_item AS item ON item.order_id = ANY(ARRAY[orders.id]) AND item.place = given.place
