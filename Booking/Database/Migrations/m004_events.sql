-- Events on their way out: the relay, consumer groups, events that could not be handled, webhooks.

-- Read in this order and only below the oldest transaction that still runs, a row never appears behind the reader, so
-- what is published is one place, not a mark on every row. No index is added: numbers are unique by themselves.
ALTER TABLE outbox
    DROP CONSTRAINT outbox_pkey,
    ADD PRIMARY KEY (xid, pos),
    DROP COLUMN published_at;

-- One row: who publishes, and how far everything is published.
CREATE TABLE event_relay (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    owner text NOT NULL DEFAULT '',
    held_until timestamptz NOT NULL DEFAULT now(),
    xid xid8 NOT NULL DEFAULT '0',
    pos bigint NOT NULL DEFAULT 0,
    batch bigint NOT NULL DEFAULT 0,
    -- The last position of each stream: batch · 65536 + index.
    tails bigint[] NOT NULL DEFAULT '{0,0,0,0,0,0,0,0,0,0}' CHECK (array_length(tails, 1) = 10),
    -- Events of before may have been cleaned away.
    cleaned_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO event_relay DEFAULT VALUES;

CREATE TABLE event_member (
    group_name text NOT NULL,
    owner text NOT NULL,
    seen_until timestamptz NOT NULL,
    PRIMARY KEY (group_name, owner)
);

-- How far a group has come in a stream, and which member reads it.
CREATE TABLE event_partition (
    group_name text NOT NULL,
    number bigint NOT NULL CHECK (number BETWEEN 0 AND 9),
    owner text NOT NULL DEFAULT '',
    held_until timestamptz NOT NULL DEFAULT now(),
    position bigint NOT NULL DEFAULT 0,
    -- Every event of the partition up to here in the outbox has been handled.
    cut_xid xid8 NOT NULL DEFAULT '0',
    cut_pos bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (group_name, number)
);

CREATE TABLE event_parked (
    group_name text NOT NULL,
    event_id text NOT NULL,
    partition bigint NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    -- 0 for one that only waits behind another of its subject.
    attempts bigint NOT NULL,
    reason text NOT NULL,
    retry boolean NOT NULL DEFAULT false,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_name, event_id)
);
CREATE INDEX event_parked_subject ON event_parked (group_name, subject, sequence);

CREATE INDEX inbox_received ON inbox (received_at);

CREATE TABLE webhook_endpoint (
    id uuid PRIMARY KEY,
    url text NOT NULL,
    description text NOT NULL,
    -- None means all.
    types text[] NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    disabled_reason text,
    secret text NOT NULL,
    previous_secret text,
    previous_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE webhook_delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoint ON DELETE CASCADE,
    event_id text NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed', 'cancelled')),
    attempts bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    next_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz,
    last_status bigint,
    last_error text,
    last_ms bigint,
    CONSTRAINT webhook_once UNIQUE (endpoint_id, event_id)
);
CREATE INDEX webhook_delivery_log ON webhook_delivery (endpoint_id, id);
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, next_at) WHERE state || '' = 'pending';
CREATE INDEX webhook_delivery_made ON webhook_delivery (created_at);
