DELETE FROM seat_projection WHERE pos = ANY($1::bigint[])
