SELECT count(*) AS n FROM payment
WHERE state || '' IN ('authorizing', 'unknown', 'authorized', 'capturing', 'voiding')
