UPDATE provider_event SET handled_at = now() WHERE id = $1
