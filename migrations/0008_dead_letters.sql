-- What a person changed of an operation's content: it counts from that version on. The event's own content and hash stay
-- where they are.
CREATE TABLE content_amendments (
    operation_id uuid        NOT NULL REFERENCES minting_operations (id),
    -- The operation's version that the amendment brought.
    version      bigint      NOT NULL,
    content      jsonb       NOT NULL,
    amended_by   text        NOT NULL,
    reason       text,
    amended_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (operation_id, version)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON content_amendments
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();

-- What people did about dead letters; the letters themselves lie in their topics, untouched. Each is replayed once at
-- most: a replay that fails again leaves a new letter. One that was discarded may still be replayed.
CREATE TABLE dead_letters (
    -- The letter's x-dlq-id; for other producers' letters one derived from where it lies.
    id            uuid        NOT NULL,
    deed          text        NOT NULL CHECK (deed IN ('replay', 'discard')),
    -- Where it lies.
    topic         text        NOT NULL,
    partition     integer     NOT NULL,
    record_offset bigint      NOT NULL,
    -- Letters of one cause have one fingerprint.
    fingerprint   text        NOT NULL,
    operation_id  uuid,
    -- What came of it; null while a replay is in hand, until claimed_until.
    outcome       text        CHECK (outcome IN ('published', 'retried', 'confirmed', 'settled', 'discarded')),
    claimed_until timestamptz,
    -- What was published instead of the letter's own value, where a person changed it.
    edited        bytea,
    done_by       text        NOT NULL,
    reason        text,
    done_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, deed),
    CHECK ((outcome IS NULL) = (claimed_until IS NOT NULL)),
    CHECK ((outcome IS NOT DISTINCT FROM 'discarded') = (deed = 'discard')),
    CHECK (deed = 'replay' OR reason IS NOT NULL)
);

CREATE INDEX dead_letters_operation ON dead_letters (operation_id) WHERE operation_id IS NOT NULL;

CREATE TRIGGER kept BEFORE DELETE ON dead_letters
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();
CREATE TRIGGER frozen BEFORE UPDATE ON dead_letters FOR EACH ROW
    WHEN (OLD.outcome IS NOT NULL) EXECUTE FUNCTION refuse_rewriting_history();
