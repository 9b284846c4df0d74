-- Areas and accessible seats, the rule against single seats left alone, what staff did to seats, and the waiting list.

ALTER TABLE session
    ADD COLUMN orphan_rule boolean NOT NULL DEFAULT true;
ALTER TABLE session_section
    ADD COLUMN kind text NOT NULL DEFAULT 'seats' CHECK (kind IN ('seats', 'area'));
ALTER TABLE session_row
    -- Places in the row, from 0, of its accessible seats.
    ADD COLUMN accessible int[] NOT NULL DEFAULT '{}';

-- Who had a seat: asked by staff, one seat at a time.
CREATE INDEX order_item_seat ON order_item (seat_no);

CREATE TABLE seat_action (
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    seat_no int NOT NULL,
    action text NOT NULL CHECK (action IN ('blocked', 'unblocked')),
    account_id uuid NOT NULL,
    reason text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, seat_no, id)
);

-- A party that waits for seats. `turn` is the order of service.
CREATE TABLE waitlist_entry (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL,
    account_id uuid NOT NULL,
    party_size int NOT NULL CHECK (party_size > 0),
    -- Names of price areas; none means any.
    areas text[] NOT NULL,
    together boolean NOT NULL,
    accessible boolean NOT NULL,
    state text NOT NULL
        CHECK (state IN ('waiting', 'offered', 'purchased', 'declined', 'offer_expired', 'cancelled')),
    turn bigint GENERATED ALWAYS AS IDENTITY,
    -- Offers made so far.
    offers int NOT NULL DEFAULT 0,
    hold_id uuid,
    offered_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT offer_has_hold CHECK (state <> 'offered' OR (hold_id IS NOT NULL AND offered_until IS NOT NULL))
);
CREATE INDEX waitlist_turn ON waitlist_entry (session_id, turn) WHERE state || '' = 'waiting';
CREATE INDEX waitlist_offered ON waitlist_entry (offered_until) WHERE state || '' = 'offered';
-- One party of a buyer in a session.
CREATE UNIQUE INDEX waitlist_live ON waitlist_entry (session_id, account_id)
    WHERE state || '' IN ('waiting', 'offered');
