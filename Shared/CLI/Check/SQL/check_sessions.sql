SELECT id, state, epoch,
    (SELECT coalesce(sum(seat_count), 0)::bigint FROM session_row WHERE session_id = session.id) AS seats
FROM session
