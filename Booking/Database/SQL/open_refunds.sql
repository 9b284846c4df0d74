SELECT count(*) AS n, count(*) FILTER (WHERE stuck_reason IS NOT NULL) AS stuck
FROM refund WHERE state || '' IN ('submitting', 'pending')
