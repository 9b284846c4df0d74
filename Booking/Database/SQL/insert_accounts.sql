INSERT INTO account (id, email, role, password_hash)
SELECT id, email, role, password_hash
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS given(id, email, role, password_hash)
ORDER BY email
ON CONFLICT (email) DO NOTHING
