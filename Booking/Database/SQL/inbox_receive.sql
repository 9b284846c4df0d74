-- An event that is there already undoes the whole transaction: its effect has been. In order, so that two members that
-- want the same events wait for each other in one direction.
INSERT INTO inbox (source, event_id)
SELECT $1, given.event_id FROM unnest($2::text[]) AS given(event_id) ORDER BY given.event_id
