SELECT state, xmin = pg_current_xact_id()::xid AS is_new FROM refund WHERE id = $1
