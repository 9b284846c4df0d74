UPDATE event_relay SET held_until = now() WHERE single AND owner = $1
