SELECT order_id, seat_no, name, area, price_minor
FROM order_item WHERE order_id = ANY($1::uuid[]) ORDER BY order_id, place
