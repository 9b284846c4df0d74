UPDATE session SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch
