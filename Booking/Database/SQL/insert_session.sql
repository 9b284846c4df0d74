INSERT INTO session (id, show_id, title, starts_at, state, room, limit_per_buyer, currency, pay_window_ms, epoch,
    orphan_rule)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
