INSERT INTO show (id, title, description, venue) VALUES ($1, $2, $3, $4)
