-- Orders that are accepted first and decided later.

-- Why an order that was accepted could not be made.
ALTER TABLE orders ADD COLUMN failure_code text;

-- The backlog, in the order in which it is decided.
CREATE INDEX orders_waiting ON orders (created_at, id) WHERE state || '' = 'processing';
