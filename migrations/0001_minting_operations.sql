-- One row per operation: what the API asked for, where it stands, and what it has brought so far.
CREATE TABLE minting_operations (
    id                    uuid        PRIMARY KEY,

    -- Frozen at insert.
    kind                  text        NOT NULL CHECK (kind IN ('unlock', 'upgrade', 'airdrop')),
    user_id               text        NOT NULL,
    wallet                text        NOT NULL,
    content               jsonb       NOT NULL,
    content_hash          bytea       NOT NULL CHECK (octet_length(content_hash) = 32),
    priority              text        NOT NULL CHECK (priority IN ('critical', 'normal', 'bulk')),
    event_at              timestamptz NOT NULL,
    trace_parent          text,

    -- Moved by transitions only.
    state                 text        NOT NULL DEFAULT 'INITIATED' CHECK (state IN (
                                          'INITIATED', 'IMAGE_UPLOADED', 'IPFS_UPLOADED', 'BLOCKCHAIN_SUBMITTED',
                                          'BLOCKCHAIN_CONFIRMED', 'DATABASE_UPDATED', 'VERIFIED', 'FAILED',
                                          'ROLLED_BACK')),
    previous_state        text,
    failed_from           text,
    version               bigint      NOT NULL DEFAULT 1 CHECK (version > 0),
    image_cid             text,
    metadata_cid          text,
    mint_address          text        UNIQUE,
    key_id                text,
    signature             text,

    -- The tries of the present step; every transition resets them.
    attempts              integer     NOT NULL DEFAULT 0,
    next_attempt_at       timestamptz,
    claimed_until         timestamptz,
    wakes                 integer     NOT NULL DEFAULT 0,
    failure_class         text        CHECK (failure_class IN (
                                          'transient', 'rate-limited', 'degraded', 'outage', 'permanent')),
    failure_code          text,
    failure_message       text,

    -- For people, and what they are still owed.
    needs_review          text,
    status_owed           boolean     NOT NULL DEFAULT false,

    -- When it last came to each state.
    created_at            timestamptz NOT NULL DEFAULT now(),
    image_uploaded_at     timestamptz,
    ipfs_uploaded_at      timestamptz,
    submitted_at          timestamptz,
    confirmed_at          timestamptz,
    database_updated_at   timestamptz,
    verified_at           timestamptz,
    failed_at             timestamptz,
    rolled_back_at        timestamptz,
    updated_at            timestamptz NOT NULL DEFAULT now(),

    -- A failure is whole or absent.
    CHECK (num_nulls(failure_class, failure_code, failure_message) IN (0, 3))
) WITH (
    -- A row is written about seven times and then rests: room on its page for its next version, and a vacuum that
    -- follows the writing instead of waiting for a fifth of a table that only grows.
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
);

-- What is in work: small, however many rows are finished.
CREATE INDEX minting_operations_live ON minting_operations (state, priority, updated_at)
    WHERE state NOT IN ('VERIFIED', 'FAILED', 'ROLLED_BACK');
-- Retries that the row owns, in the order they fall due.
CREATE INDEX minting_operations_due ON minting_operations (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
-- What a person should look at.
CREATE INDEX minting_operations_review ON minting_operations (updated_at) WHERE needs_review IS NOT NULL;
-- "What came in since …": rows lie on disk about as they came, so a few pages of index serve millions of them, and no
-- update has to touch it.
CREATE INDEX minting_operations_created ON minting_operations USING brin (created_at);

-- The transitions that crates/domain/src/state.rs knows; a test of `store` compares the two over every pair.
CREATE FUNCTION state_may_become(old_state text, new_state text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(new_state = ANY (CASE old_state
        WHEN 'INITIATED'            THEN ARRAY['IMAGE_UPLOADED', 'IPFS_UPLOADED', 'FAILED']
        WHEN 'IMAGE_UPLOADED'       THEN ARRAY['IPFS_UPLOADED', 'FAILED']
        WHEN 'IPFS_UPLOADED'        THEN ARRAY['BLOCKCHAIN_SUBMITTED', 'FAILED', 'BLOCKCHAIN_CONFIRMED']
        WHEN 'BLOCKCHAIN_SUBMITTED' THEN ARRAY['BLOCKCHAIN_SUBMITTED', 'BLOCKCHAIN_CONFIRMED', 'FAILED']
        WHEN 'BLOCKCHAIN_CONFIRMED' THEN ARRAY['DATABASE_UPDATED', 'BLOCKCHAIN_SUBMITTED']
        WHEN 'DATABASE_UPDATED'     THEN ARRAY['VERIFIED']
        WHEN 'FAILED'               THEN ARRAY['ROLLED_BACK', 'INITIATED', 'IPFS_UPLOADED', 'BLOCKCHAIN_CONFIRMED']
        WHEN 'ROLLED_BACK'          THEN ARRAY['INITIATED', 'BLOCKCHAIN_CONFIRMED']
    END), false);

CREATE FUNCTION refuse_illegal_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT state_may_become(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'operation % may not go from % to %', OLD.id, OLD.state, NEW.state;
    END IF;
    IF NEW.version IS DISTINCT FROM OLD.version + 1 THEN
        RAISE EXCEPTION 'operation % goes from % to % with version %, not %',
            OLD.id, OLD.state, NEW.state, OLD.version + 1, NEW.version;
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION refuse_other_beginning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'operation % may not begin as % with version %: it begins as INITIATED with version 1',
        NEW.id, NEW.state, NEW.version;
END
$$;

CREATE FUNCTION refuse_change_of_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text;
BEGIN
    SELECT string_agg(old_column.key, ', ' ORDER BY old_column.key) INTO changed
    FROM jsonb_each(to_jsonb(OLD)) AS old_column JOIN jsonb_each(to_jsonb(NEW)) AS new_column USING (key)
    WHERE old_column.value IS DISTINCT FROM new_column.value AND old_column.key = ANY (TG_ARGV);
    RAISE EXCEPTION 'operation %: frozen columns may not change: %', OLD.id, changed;
END
$$;

-- Conditions are in WHEN, so that a good row costs no function call, but for the one that checks its transition.
CREATE TRIGGER transition BEFORE UPDATE OF state, version ON minting_operations FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.version IS DISTINCT FROM NEW.version)
    EXECUTE FUNCTION refuse_illegal_transition();

CREATE TRIGGER beginning BEFORE INSERT ON minting_operations FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM 'INITIATED' OR NEW.version IS DISTINCT FROM 1)
    EXECUTE FUNCTION refuse_other_beginning();

CREATE TRIGGER frozen
    BEFORE UPDATE OF id, kind, user_id, wallet, content, content_hash, priority, event_at
    ON minting_operations FOR EACH ROW
    WHEN ((OLD.id, OLD.kind, OLD.user_id, OLD.wallet, OLD.content, OLD.content_hash, OLD.priority, OLD.event_at)
          IS DISTINCT FROM
          (NEW.id, NEW.kind, NEW.user_id, NEW.wallet, NEW.content, NEW.content_hash, NEW.priority, NEW.event_at))
    EXECUTE FUNCTION refuse_change_of_frozen(
        'id', 'kind', 'user_id', 'wallet', 'content', 'content_hash', 'priority', 'event_at');

CREATE TRIGGER frozen_mint BEFORE UPDATE OF mint_address ON minting_operations FOR EACH ROW
    WHEN (OLD.mint_address IS NOT NULL AND OLD.mint_address IS DISTINCT FROM NEW.mint_address)
    EXECUTE FUNCTION refuse_change_of_frozen('mint_address');
