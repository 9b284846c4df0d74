-- Accounts, catalogue, seat claims, orders, payments, tickets and the outbox.
--
-- Partial indexes name their state as (state || ''): only a statement that says so too is planned with them. Else the
-- planner would read one whole for any order in that state whenever its statistics believe that there are few.

CREATE TABLE account (
    id uuid PRIMARY KEY,
    email text NOT NULL CONSTRAINT account_email UNIQUE,
    role text NOT NULL CHECK (role IN ('buyer', 'staff', 'admin')),
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE refresh_token (
    hash bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_token_account ON refresh_token (account_id);

CREATE TABLE show (
    id uuid PRIMARY KEY,
    title text NOT NULL,
    description text NOT NULL,
    venue text NOT NULL
);

CREATE TABLE session (
    id uuid PRIMARY KEY,
    show_id uuid NOT NULL REFERENCES show,
    title text NOT NULL,
    starts_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'published', 'on_sale', 'paused', 'closed', 'ended', 'cancelled')),
    room text,
    limit_per_buyer int NOT NULL CHECK (limit_per_buyer > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    pay_window_ms bigint NOT NULL CHECK (pay_window_ms > 0),
    epoch bigint NOT NULL
);

CREATE TABLE session_section (
    session_id uuid NOT NULL REFERENCES session,
    number int NOT NULL,
    name text NOT NULL,
    area text NOT NULL,
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    PRIMARY KEY (session_id, number),
    UNIQUE (session_id, name)
);

CREATE TABLE session_row (
    session_id uuid NOT NULL,
    section int NOT NULL,
    number int NOT NULL,
    label text NOT NULL,
    -- Seats of the row are called first, first + 1, … and numbered first_seat_no, first_seat_no + 1, … inside.
    first int NOT NULL,
    seat_count int NOT NULL CHECK (seat_count > 0),
    first_seat_no int NOT NULL,
    PRIMARY KEY (session_id, section, number),
    FOREIGN KEY (session_id, section) REFERENCES session_section
);

CREATE TABLE session_seat (
    session_id uuid NOT NULL REFERENCES session,
    seat_no int NOT NULL,
    section text NOT NULL,
    row_label text NOT NULL,
    number text NOT NULL,
    area text NOT NULL,
    PRIMARY KEY (session_id, seat_no),
    UNIQUE (session_id, section, row_label, number)
);

-- No foreign key to session: every order of an on-sale would share-lock that one row. The claims' key to their seats
-- says the same.
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL,
    account_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    fence bigint NOT NULL,
    state text NOT NULL CHECK (state IN
        ('pending', 'authorizing', 'authorized', 'confirmed', 'paid', 'cancelled', 'expired', 'failed')),
    -- The number of the order's last event in the outbox.
    version bigint NOT NULL DEFAULT 1,
    seat_count int NOT NULL CHECK (seat_count > 0),
    total_minor bigint NOT NULL CHECK (total_minor >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    attempts int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    deadline timestamptz NOT NULL
);
CREATE INDEX orders_of_account ON orders (account_id);
CREATE INDEX orders_due ON orders (deadline) WHERE state || '' = 'pending';

CREATE TABLE order_item (
    order_id uuid NOT NULL REFERENCES orders,
    seat_no int NOT NULL,
    -- 1, 2, 3 … of its order, by seat.
    place int NOT NULL,
    name text NOT NULL,
    area text NOT NULL,
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    PRIMARY KEY (order_id, seat_no)
);

-- The last guard against selling a seat twice. The order may be written after its claims in the same transaction.
CREATE TABLE seat_claim (
    session_id uuid NOT NULL,
    seat_no int NOT NULL,
    order_id uuid REFERENCES orders DEFERRABLE INITIALLY DEFERRED,
    state text NOT NULL CHECK (state IN ('pending', 'sold', 'blocked')),
    fence bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (session_id, seat_no),
    FOREIGN KEY (session_id, seat_no) REFERENCES session_seat,
    CONSTRAINT blocked_without_order CHECK ((state = 'blocked') = (order_id IS NULL))
);

-- The durable limit of seats an account may have of a session.
CREATE TABLE user_quota (
    session_id uuid NOT NULL,
    account_id uuid NOT NULL,
    used int NOT NULL,
    lim int NOT NULL,
    last_order_id uuid NOT NULL,
    PRIMARY KEY (session_id, account_id),
    CONSTRAINT quota_kept CHECK (used BETWEEN 0 AND lim)
);

CREATE TABLE payment (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders,
    attempt int NOT NULL,
    state text NOT NULL CHECK (state IN
        ('authorizing', 'unknown', 'authorized', 'capturing', 'captured', 'failed', 'voiding', 'voided')),
    provider text NOT NULL DEFAULT 'stripe',
    provider_ref text,
    method text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    authorized bigint NOT NULL DEFAULT 0,
    captured bigint NOT NULL DEFAULT 0,
    refunded bigint NOT NULL DEFAULT 0,
    decline_code text,
    started_at timestamptz NOT NULL,
    -- Who carries the saga out, and until when nobody else may.
    owner text NOT NULL,
    lease_until timestamptz NOT NULL,
    CONSTRAINT captured_within_authorized CHECK (captured <= authorized),
    CONSTRAINT refunded_within_captured CHECK (refunded <= captured AND refunded >= 0),
    CONSTRAINT payment_provider_ref UNIQUE (provider, provider_ref),
    CONSTRAINT payment_attempt UNIQUE (order_id, attempt)
);
CREATE UNIQUE INDEX payment_live ON payment (order_id) WHERE state || '' NOT IN ('failed', 'voided');
CREATE INDEX payment_open ON payment (lease_until)
    WHERE state || '' IN ('authorizing', 'unknown', 'authorized', 'capturing', 'voiding');

CREATE TABLE ticket (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL,
    seat_no int NOT NULL,
    order_id uuid NOT NULL REFERENCES orders,
    name text NOT NULL,
    number text NOT NULL CONSTRAINT ticket_number UNIQUE,
    generation int NOT NULL DEFAULT 1,
    state text NOT NULL CHECK (state IN
        ('pending', 'valid', 'checked_in', 'checked_out', 'suspended', 'refund_pending', 'void', 'expired'))
);
CREATE UNIQUE INDEX ticket_seat ON ticket (session_id, seat_no)
    WHERE state || '' IN ('pending', 'valid', 'checked_in', 'checked_out', 'suspended', 'refund_pending');
CREATE INDEX ticket_order ON ticket (order_id);

CREATE TABLE idempotency_key (
    scope text NOT NULL,
    key_hash bytea NOT NULL,
    fingerprint bytea NOT NULL,
    status int NOT NULL,
    body bytea NOT NULL,
    resource_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (scope, key_hash)
);
CREATE INDEX idempotency_key_due ON idempotency_key (expires_at);

-- Columns after Debezium's outbox event router. Read only rows whose xid is below pg_snapshot_xmin: positions become
-- visible out of order.
CREATE TABLE outbox (
    pos bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    aggregatetype text NOT NULL,
    aggregateid uuid NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    payload jsonb NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    made_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    CONSTRAINT outbox_sequence UNIQUE (aggregateid, seq)
);

-- What Redis has yet to show; a row goes when it does.
CREATE TABLE seat_projection (
    pos bigint PRIMARY KEY,
    order_id uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('pinned', 'sold', 'free'))
);

CREATE TABLE inbox (
    source text NOT NULL,
    event_id text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, event_id)
);

CREATE TABLE lease (
    name text PRIMARY KEY,
    owner text NOT NULL,
    held_until timestamptz NOT NULL
);
