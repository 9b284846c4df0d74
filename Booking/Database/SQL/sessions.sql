SELECT id, show_id, title, starts_at, state, room, limit_per_buyer, currency, pay_window_ms, epoch, orphan_rule
FROM session ORDER BY starts_at, id
