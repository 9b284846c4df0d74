SELECT refund_id, ticket_id, amount_minor, fee_minor FROM refund_ticket
WHERE refund_id = ANY($1::uuid[]) ORDER BY refund_id, ticket_id
