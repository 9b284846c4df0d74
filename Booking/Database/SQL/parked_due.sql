-- Asked for by staff, or only waiting behind others, with nothing before them that still has to wait.
SELECT due.* FROM event_parked AS due
WHERE due.group_name = $1 AND due.partition = ANY($2::bigint[]) AND (due.retry OR due.attempts = 0)
    AND NOT EXISTS (
        SELECT FROM event_parked AS ahead
        WHERE ahead.group_name = due.group_name AND ahead.subject = due.subject AND ahead.sequence < due.sequence
            AND NOT (ahead.retry OR ahead.attempts = 0)
    )
ORDER BY due.subject, due.sequence LIMIT $3
