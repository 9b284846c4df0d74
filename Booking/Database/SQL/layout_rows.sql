SELECT section, label, first, seat_count, accessible FROM session_row WHERE session_id = $1 ORDER BY section, number
