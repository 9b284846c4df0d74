-- Gathered first, as an account has few: else all orders might be read in their order until enough are its own.
WITH mine AS MATERIALIZED (
    SELECT id FROM orders WHERE account_id = $1 AND ($2::uuid IS NULL OR id < $2)
)
SELECT id FROM mine ORDER BY id DESC LIMIT $3
