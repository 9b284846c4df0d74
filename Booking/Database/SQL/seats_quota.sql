-- Gives the quota of those seats back.
UPDATE user_quota AS quota SET used = quota.used - gone.seats
FROM (
    SELECT (
        SELECT own.ctid FROM user_quota AS own
        WHERE own.session_id = orders.session_id AND own.account_id = orders.account_id
    ) AS place, (
        SELECT count(*)::int FROM ticket
        WHERE ticket.order_id = $1 AND ticket.state = 'void' AND ticket.xmin = pg_current_xact_id()::xid
    ) AS seats
    FROM orders WHERE orders.id = $1
) AS gone
WHERE quota.ctid = gone.place AND gone.seats > 0
