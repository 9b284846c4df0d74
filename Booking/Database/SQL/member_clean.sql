DELETE FROM event_member WHERE seen_until < now() - interval '1 day'
