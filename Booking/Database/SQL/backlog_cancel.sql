-- processing → cancelled: nothing is claimed yet, so there is nothing to give back but the hold.
UPDATE orders SET state = 'cancelled', version = version + 1
WHERE id = $1 AND account_id = $2 AND state = 'processing'
