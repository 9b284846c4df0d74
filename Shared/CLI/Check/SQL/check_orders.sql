-- Events that were cleaned away after their time count as there.
SELECT orders.id, session_id, account_id, hold_id, state, total_minor, currency, version, disputed,
    coalesce(told.events, 0) + CASE WHEN cleaned.are_old THEN coalesce(told.first - 1, version) ELSE 0 END AS events,
    coalesce(told.last, CASE WHEN cleaned.are_old THEN version ELSE 0 END) AS last_event
FROM orders
    CROSS JOIN LATERAL (
        SELECT orders.created_at < cleaned_until + interval '1 minute' AS are_old FROM event_relay
    ) AS cleaned
    LEFT JOIN (
        SELECT aggregateid, count(*) AS events, min(seq) AS first, max(seq) AS last
        FROM outbox WHERE aggregatetype = 'order' GROUP BY 1
    ) AS told ON told.aggregateid = orders.id
