-- Uses up the quota of the accounts whose orders have all their seats. One order of an account in a batch.
INSERT INTO user_quota AS quota (session_id, account_id, used, lim, last_order_id)
SELECT session_id, account_id, cardinality(seats::int[]), lim, order_id
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[])
    AS asked(order_id, session_id, account_id, lim, seats)
WHERE cardinality(seats::int[]) <= lim
    AND cardinality(seats::int[]) = (
        SELECT count(*)
        FROM unnest(asked.seats::int[]) AS wanted(seat_no)
            JOIN seat_claim AS claim ON claim.session_id = asked.session_id AND claim.seat_no = wanted.seat_no
                AND claim.order_id = asked.order_id
    )
    AND NOT EXISTS (SELECT FROM orders WHERE orders.id = asked.order_id)
ORDER BY session_id, account_id
ON CONFLICT (session_id, account_id) DO UPDATE
SET used = quota.used + EXCLUDED.used, lim = EXCLUDED.lim, last_order_id = EXCLUDED.last_order_id
WHERE quota.used + EXCLUDED.used <= EXCLUDED.lim
