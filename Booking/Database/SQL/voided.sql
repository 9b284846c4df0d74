UPDATE payment SET state = 'voided' WHERE id = $1 AND state = 'voiding'
