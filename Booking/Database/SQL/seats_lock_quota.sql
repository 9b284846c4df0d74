-- Locks the quota that seats_quota changes; a statement of its own, so that it sees what others did before.
SELECT FROM orders
    CROSS JOIN LATERAL (
        SELECT FROM user_quota AS quota
        WHERE quota.session_id = orders.session_id AND quota.account_id = orders.account_id
        FOR NO KEY UPDATE
    ) AS locked
WHERE orders.id = $1
