UPDATE session SET pay_window_ms = $2 WHERE id = $1
