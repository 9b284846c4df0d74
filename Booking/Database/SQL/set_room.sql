UPDATE session SET room = $2 WHERE id = $1
