UPDATE waitlist_entry SET offered_until = $2 WHERE id = $1 AND state = 'offered'
RETURNING id
