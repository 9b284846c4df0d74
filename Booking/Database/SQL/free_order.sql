-- pending → paid, when nothing is to be paid and all seats are claimed.
UPDATE orders SET state = 'paid', version = orders.version + 1
WHERE orders.id = $1 AND orders.account_id = $2 AND orders.state = 'pending' AND orders.total_minor = 0
    AND $3 < orders.deadline AND orders.seat_count = $4
    AND orders.seat_count = (
        SELECT count(*) FROM order_item AS item
        WHERE item.order_id = orders.id AND orders.id = (
            SELECT claim.order_id FROM seat_claim AS claim
            WHERE claim.session_id = orders.session_id AND claim.seat_no = item.seat_no AND claim.state = 'pending'
        )
    )
