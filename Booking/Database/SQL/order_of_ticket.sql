SELECT order_id FROM ticket WHERE id = $1
