INSERT INTO session_section (session_id, number, name, area, price_minor)
SELECT $1, number - 1, name, area, price
FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS given(name, area, price, number)
