-- Refunds, disputes, actions of buyers, late money, sessions called off, answers kept for repeats, queued orders.

ALTER TABLE session
    -- What a refund costs; each order keeps what it was when it was made.
    ADD COLUMN refund_mode text NOT NULL DEFAULT 'automatic' CHECK (refund_mode IN ('automatic', 'staff', 'none')),
    ADD COLUMN refund_fee_fixed bigint NOT NULL DEFAULT 0 CHECK (refund_fee_fixed >= 0),
    ADD COLUMN refund_fee_basis_points int NOT NULL DEFAULT 0 CHECK (refund_fee_basis_points BETWEEN 0 AND 10000),
    ADD COLUMN refund_until timestamptz,
    ADD COLUMN resells boolean NOT NULL DEFAULT true;

ALTER TABLE orders
    DROP CONSTRAINT orders_state_check,
    ADD CONSTRAINT orders_state_check CHECK (state IN
        ('processing', 'pending', 'authorizing', 'authorized', 'confirmed', 'paid', 'partially_refunded', 'refunded',
        'charged_back', 'cancelled', 'expired', 'failed')),
    -- Attempts that do not count against the limit.
    ADD COLUMN attempts_spared int NOT NULL DEFAULT 0,
    ADD COLUMN cancel_requested boolean NOT NULL DEFAULT false,
    ADD COLUMN disputed boolean NOT NULL DEFAULT false,
    ADD COLUMN refund_mode text NOT NULL DEFAULT 'automatic',
    ADD COLUMN refund_fee_fixed bigint NOT NULL DEFAULT 0,
    ADD COLUMN refund_fee_basis_points int NOT NULL DEFAULT 0,
    ADD COLUMN refund_until timestamptz,
    ADD COLUMN resells boolean NOT NULL DEFAULT true;

ALTER TABLE payment
    DROP CONSTRAINT payment_state_check,
    ADD CONSTRAINT payment_state_check CHECK (state IN
        ('authorizing', 'requires_action', 'unknown', 'authorized', 'capturing', 'captured', 'failed', 'voiding',
        'voided', 'stray')),
    ADD COLUMN action_kind text CHECK (action_kind IN ('redirect', 'qr_code', 'script')),
    ADD COLUMN action_value text,
    -- What becomes of an order that waits until the void is done.
    ADD COLUMN then_order text CHECK (then_order IN ('pending', 'expired', 'cancelled')),
    ADD COLUMN tries int NOT NULL DEFAULT 0,
    ADD COLUMN stuck_reason text,
    -- Being given back, and given back by other ways than the provider's.
    ADD COLUMN refunding bigint NOT NULL DEFAULT 0 CHECK (refunding >= 0),
    ADD COLUMN settled bigint NOT NULL DEFAULT 0 CHECK (settled >= 0),
    -- The request that began it.
    ADD COLUMN key_hash bytea,
    ADD COLUMN fingerprint bytea,
    DROP CONSTRAINT refunded_within_captured,
    ADD CONSTRAINT refunded_within_captured
        CHECK (refunded + refunding + settled <= captured AND refunded >= 0);
DROP INDEX payment_live;
DROP INDEX payment_open;
CREATE UNIQUE INDEX payment_live ON payment (order_id) WHERE state || '' NOT IN ('failed', 'voided', 'stray');
CREATE INDEX payment_open ON payment (lease_until)
    WHERE state || '' IN ('authorizing', 'requires_action', 'unknown', 'authorized', 'capturing', 'voiding')
        OR (state || '' = 'stray' AND captured = 0);

ALTER TABLE ticket
    -- What it was before a refund or a dispute took it away for a while.
    ADD COLUMN previous text;

CREATE TABLE refund (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    -- None for an order that cost nothing.
    payment_id uuid REFERENCES payment,
    kind text NOT NULL CHECK (kind IN
        ('buyer', 'staff', 'session_cancelled', 'late_payment', 'difference', 'external')),
    state text NOT NULL CHECK (state IN
        ('requested', 'rejected', 'submitting', 'pending', 'succeeded', 'failed', 'settled_manually')),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    fee_minor bigint NOT NULL DEFAULT 0 CHECK (fee_minor >= 0),
    currency text NOT NULL,
    reason text NOT NULL,
    requested_by uuid,
    attempt int NOT NULL DEFAULT 1,
    provider_ref text CONSTRAINT refund_provider_ref UNIQUE,
    failure_code text,
    note text,
    stuck_reason text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    owner text NOT NULL DEFAULT '',
    lease_until timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refund_order ON refund (order_id);
-- What somebody has to decide.
CREATE INDEX refund_waiting ON refund (id) WHERE state || '' IN ('requested', 'failed');
CREATE INDEX refund_open ON refund (lease_until) WHERE state || '' IN ('submitting', 'pending');

CREATE TABLE refund_ticket (
    refund_id uuid NOT NULL REFERENCES refund,
    ticket_id uuid NOT NULL REFERENCES ticket,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    fee_minor bigint NOT NULL CHECK (fee_minor >= 0),
    failed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (refund_id, ticket_id)
);
CREATE UNIQUE INDEX refund_once ON refund_ticket (ticket_id) WHERE NOT failed;

CREATE TABLE dispute (
    reference text PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payment,
    state text NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    amount_minor bigint NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE INDEX dispute_payment ON dispute (payment_id);

-- What the provider told unasked: remembered first, worked on until it is done.
CREATE TABLE provider_event (
    id text PRIMARY KEY,
    body bytea NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now() + interval '5 seconds',
    handled_at timestamptz
);
CREATE INDEX provider_event_due ON provider_event (due_at) WHERE handled_at IS NULL;
CREATE INDEX provider_event_done ON provider_event (handled_at) WHERE handled_at IS NOT NULL;

CREATE TABLE session_cancellation (
    session_id uuid PRIMARY KEY,
    requested_by uuid NOT NULL,
    reason text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    orders_total int NOT NULL,
    finished_at timestamptz
);

ALTER TABLE seat_projection
    -- Seats of the order it is about; all of them when there are none.
    ADD COLUMN seats int[],
    DROP CONSTRAINT seat_projection_outcome_check,
    ADD CONSTRAINT seat_projection_outcome_check CHECK (outcome IN ('pinned', 'sold', 'free', 'blocked'));

ALTER TABLE idempotency_key
    ALTER COLUMN resource_id DROP NOT NULL,
    -- A call under way has no answer yet; past its lease the next caller goes on.
    ADD COLUMN lease_until timestamptz;
