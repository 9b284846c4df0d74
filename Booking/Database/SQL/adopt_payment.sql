UPDATE payment SET state = 'authorized', provider_ref = coalesce(provider_ref, $2),
    authorized = greatest(authorized, amount_minor), decline_code = NULL, then_order = NULL, stuck_reason = NULL
FROM orders
WHERE payment.id = $1 AND payment.state IN ('failed', 'voided', 'stray') AND orders.id = ANY(ARRAY[payment.order_id])
    AND orders.state = 'authorized' AND orders.xmin = pg_current_xact_id()::xid
RETURNING payment.id
