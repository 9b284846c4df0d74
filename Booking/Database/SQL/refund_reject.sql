UPDATE refund SET state = 'rejected', note = $2, version = version + 1 WHERE id = $1 AND state = 'requested'
