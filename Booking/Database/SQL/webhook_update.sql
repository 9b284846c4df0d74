UPDATE webhook_endpoint SET url = coalesce($2, url), description = coalesce($3, description),
    types = coalesce(($4::text)::text[], types), enabled = coalesce($5, enabled),
    disabled_reason = CASE WHEN $5 THEN NULL ELSE disabled_reason END
WHERE id = $1
RETURNING id, url, description, types, enabled, disabled_reason, secret, previous_secret, previous_until, created_at
