SELECT orders.id, session_id, account_id, hold_id, state, total_minor, currency, version, disputed,
    coalesce(told.events, 0) AS events, coalesce(told.last, 0) AS last_event
FROM orders
    LEFT JOIN (
        SELECT aggregateid, count(*) AS events, max(seq) AS last FROM outbox WHERE aggregatetype = 'order' GROUP BY 1
    ) AS told ON told.aggregateid = orders.id
