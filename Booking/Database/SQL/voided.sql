UPDATE payment SET state = 'voided', stuck_reason = NULL
WHERE id = $1 AND (state = 'voiding' OR (state = 'stray' AND captured = 0))
