-- An update that changes no column of an index writes no index, as long as its page has room. A column in the condition
-- of an index counts: the state does not stand in one any more, but whether the row is of interest, which most changes
-- of state leave as it is.

ALTER TABLE orders
    ADD COLUMN is_due boolean NOT NULL GENERATED ALWAYS AS (state = 'pending') STORED,
    ADD COLUMN is_waiting boolean NOT NULL GENERATED ALWAYS AS (state = 'processing') STORED;
DROP INDEX orders_due;
DROP INDEX orders_waiting;
CREATE INDEX orders_due ON orders (deadline) WHERE is_due;
CREATE INDEX orders_waiting ON orders (created_at, id) WHERE is_waiting;

ALTER TABLE ticket ADD COLUMN is_live boolean NOT NULL GENERATED ALWAYS AS
    (state IN ('pending', 'valid', 'checked_in', 'checked_out', 'suspended', 'refund_pending')) STORED;
DROP INDEX ticket_seat;
CREATE UNIQUE INDEX ticket_seat ON ticket (session_id, seat_no) WHERE is_live;

ALTER TABLE orders SET (fillfactor = 50);
ALTER TABLE payment SET (fillfactor = 60);
ALTER TABLE ticket SET (fillfactor = 60);
ALTER TABLE seat_claim SET (fillfactor = 60);
