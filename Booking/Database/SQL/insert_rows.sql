INSERT INTO session_row (session_id, section, number, label, first, seat_count, first_seat_no, accessible)
SELECT $1, section, number, label, first, seat_count, first_seat_no, accessible::int[]
FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) WITH ORDINALITY
    AS given(section, label, first, seat_count, first_seat_no, accessible, number)
