INSERT INTO session_section (session_id, number, name, area, price_minor, kind)
SELECT $1, number - 1, name, area, price, kind
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) WITH ORDINALITY
    AS given(name, area, price, kind, number)
