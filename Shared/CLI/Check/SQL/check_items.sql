SELECT order_id, seat_no, price_minor FROM order_item
