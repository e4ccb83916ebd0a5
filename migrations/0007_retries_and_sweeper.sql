-- Retries that rows own, statuses that rows owe, and how far each partition of a request topic was consumed.

-- When the row's request event was last published from the row itself, by a redrive or a wake. Until that event was
-- consumed, nobody may say that the operation stands still.
ALTER TABLE minting_operations
    ADD COLUMN requested_at timestamptz,
    ADD CONSTRAINT minting_operations_attempts_check CHECK (attempts >= 0),
    ADD CONSTRAINT minting_operations_wakes_check CHECK (wakes >= 0);

-- Due retries, as they are claimed: by state, each priority with a share of its own, the longest due first.
DROP INDEX minting_operations_due;
CREATE INDEX minting_operations_due ON minting_operations (state, priority, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;
CREATE INDEX minting_operations_owed ON minting_operations (updated_at) WHERE status_owed;

-- What the step before had gone through is nothing to the next one, even where a person typed the transition.
CREATE FUNCTION begin_step_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.attempts := 0;
    NEW.next_attempt_at := NULL;
    NEW.claimed_until := NULL;
    NEW.requested_at := NULL;
    NEW.wakes := 0;
    RETURN NEW;
END
$$;

CREATE TRIGGER anew BEFORE UPDATE OF state, version ON minting_operations FOR EACH ROW
    WHEN (OLD.version IS DISTINCT FROM NEW.version
          AND (NEW.attempts <> 0 OR NEW.wakes <> 0
               OR num_nonnulls(NEW.next_attempt_at, NEW.claimed_until, NEW.requested_at) > 0))
    EXECUTE FUNCTION begin_step_anew();

-- Numbers the assignments of partitions: whoever was assigned later has the higher number, in whatever process it is.
CREATE SEQUENCE assignment_epochs;

-- What the owner of each partition of a request topic says: all records up to that time are finished.
CREATE TABLE consumed_through (
    topic       text        NOT NULL,
    partition   integer     NOT NULL CHECK (partition >= 0),
    epoch       bigint      NOT NULL,
    through     timestamptz NOT NULL,
    reported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
) WITH (
    -- Written every 5 s: room on the page for the next versions.
    fillfactor = 50
);
