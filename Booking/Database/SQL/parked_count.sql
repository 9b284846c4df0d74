SELECT count(*) AS parked FROM event_parked
