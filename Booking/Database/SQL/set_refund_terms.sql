UPDATE session SET refund_mode = $2, refund_fee_fixed = $3, refund_fee_basis_points = $4, refund_until = $5,
    resells = $6
WHERE id = $1
