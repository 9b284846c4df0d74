INSERT INTO event_partition (group_name, number) SELECT $1, generate_series(0, 9) ON CONFLICT DO NOTHING
