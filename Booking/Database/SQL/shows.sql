SELECT id, title, description, venue FROM show ORDER BY id
