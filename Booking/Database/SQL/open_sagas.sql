SELECT count(*) AS n,
    count(*) FILTER (WHERE stuck_reason IS NOT NULL OR state || '' <> 'requires_action'
        AND started_at < now() - $1 * interval '1 millisecond') AS stuck
FROM payment
WHERE state || '' IN ('authorizing', 'requires_action', 'unknown', 'authorized', 'capturing', 'voiding')
    OR (state || '' = 'stray' AND captured = 0)
