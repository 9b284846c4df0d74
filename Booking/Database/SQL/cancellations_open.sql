SELECT session_id, requested_by, reason FROM session_cancellation WHERE finished_at IS NULL
