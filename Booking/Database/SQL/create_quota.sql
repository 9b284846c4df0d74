-- Uses up the quota of the accounts whose orders have all their seats. One order of an account in a batch.
INSERT INTO user_quota AS quota (session_id, account_id, used, lim, last_order_id)
SELECT session_id, account_id, cardinality(seats::int[]), lim, order_id
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[])
    AS asked(order_id, session_id, account_id, lim, seats)
WHERE cardinality(seats::int[]) <= lim
    AND cardinality(seats::int[]) = (
        SELECT count(*) FROM unnest(asked.seats::int[]) AS wanted(seat_no)
        WHERE asked.order_id = (
            SELECT claim.order_id FROM seat_claim AS claim
            WHERE claim.session_id = asked.session_id AND claim.seat_no = wanted.seat_no
        )
    )
    AND (SELECT orders.version FROM orders WHERE orders.id = asked.order_id) IS NULL
ORDER BY session_id, account_id
ON CONFLICT (session_id, account_id) DO UPDATE
SET used = quota.used + EXCLUDED.used, lim = EXCLUDED.lim, last_order_id = EXCLUDED.last_order_id
WHERE quota.used + EXCLUDED.used <= EXCLUDED.lim
