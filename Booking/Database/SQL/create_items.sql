-- The items of the orders written in this transaction.
INSERT INTO order_item (order_id, seat_no, place, name, area, price_minor)
SELECT item.order_id, item.seat_no, item.place, item.name, item.area, item.price
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
        AS item(order_id, seat_no, place, name, area, price)
    JOIN orders ON orders.id = ANY(ARRAY[item.order_id]) AND orders.xmin = pg_current_xact_id()::xid
