SELECT id, email, role, password_hash FROM account WHERE id = $1
