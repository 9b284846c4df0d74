UPDATE event_relay SET cleaned_until = greatest(cleaned_until, now() - $1 * interval '1 millisecond') WHERE single
