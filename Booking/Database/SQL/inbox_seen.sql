SELECT found.event_id
FROM (
    SELECT (
        SELECT inbox.event_id FROM inbox WHERE inbox.source = $1 AND inbox.event_id = given.event_id
    ) AS event_id
    FROM unnest($2::text[]) AS given(event_id)
) AS found
WHERE found.event_id IS NOT NULL
