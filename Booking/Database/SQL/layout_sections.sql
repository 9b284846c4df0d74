SELECT section.name, section.area, section.price_minor, section.kind, session.currency
FROM session_section AS section JOIN session ON session.id = section.session_id
WHERE section.session_id = $1 ORDER BY section.number
