INSERT INTO refund_ticket (refund_id, ticket_id, amount_minor, fee_minor)
SELECT refund.id, share.ticket_id, share.amount, share.fee
FROM refund CROSS JOIN unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS share(ticket_id, amount, fee)
WHERE refund.id = $1 AND refund.xmin = pg_current_xact_id()::xid
