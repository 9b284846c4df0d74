SELECT count(*) AS waiting FROM seat_projection
