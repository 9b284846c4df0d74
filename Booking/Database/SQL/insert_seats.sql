-- Every seat of the rows just inserted.
INSERT INTO session_seat (session_id, seat_no, section, row_label, number, area)
SELECT line.session_id, line.first_seat_no + offset_in_row, section.name, line.label,
    (line.first + offset_in_row)::text, section.area
FROM session_row AS line
    JOIN session_section AS section ON section.session_id = line.session_id AND section.number = line.section
    CROSS JOIN LATERAL generate_series(0, line.seat_count - 1) AS offset_in_row
WHERE line.session_id = $1
