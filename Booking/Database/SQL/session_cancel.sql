UPDATE session SET state = 'cancelled' WHERE id = $1 AND state NOT IN ('ended', 'cancelled')
