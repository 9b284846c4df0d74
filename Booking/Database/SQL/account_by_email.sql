SELECT id, email, role, password_hash FROM account WHERE email = $1
