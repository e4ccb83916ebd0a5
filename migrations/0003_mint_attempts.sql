-- Every transaction that was ever signed, on record before its first send.
CREATE TABLE mint_attempts (
    signature               text        PRIMARY KEY,
    operation_id            uuid        NOT NULL REFERENCES minting_operations (id),
    -- The operation's version that this attempt brought.
    version                 bigint      NOT NULL,
    wire                    bytea       NOT NULL CHECK (octet_length(wire) > 0),
    blockhash               text        NOT NULL,
    last_valid_block_height bigint      NOT NULL CHECK (last_valid_block_height >= 0),
    context_slot            bigint      NOT NULL CHECK (context_slot >= 0),
    -- Micro-lamports per compute unit.
    compute_unit_price      bigint      NOT NULL CHECK (compute_unit_price >= 0),
    endpoint                text        NOT NULL,
    signed_at               timestamptz NOT NULL DEFAULT now(),
    verdict                 text        CHECK (verdict IN ('finalized', 'failed-on-chain', 'expired')),
    decided_at              timestamptz,
    CHECK ((verdict IS NULL) = (decided_at IS NULL))
);

-- At most one transaction of an operation may be on its way.
CREATE UNIQUE INDEX mint_attempts_open ON mint_attempts (operation_id) WHERE verdict IS NULL;
CREATE INDEX mint_attempts_operation ON mint_attempts (operation_id);

CREATE FUNCTION refuse_change_of_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'attempt % of operation %: what was signed is frozen, and so is a verdict',
        OLD.signature, OLD.operation_id;
END
$$;

CREATE TRIGGER frozen BEFORE UPDATE ON mint_attempts FOR EACH ROW
    WHEN (OLD.verdict IS NOT NULL
          OR (OLD.signature, OLD.operation_id, OLD.wire) IS DISTINCT FROM (NEW.signature, NEW.operation_id, NEW.wire))
    EXECUTE FUNCTION refuse_change_of_attempt();

CREATE TRIGGER kept BEFORE DELETE ON mint_attempts
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();
