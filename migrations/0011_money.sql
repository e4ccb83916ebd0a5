-- What minting costs, and how the payers are kept in funds.

-- What each transaction costs where it lands, lamports, as the chain said when it was signed; null where it did not say.
-- How much of it was really spent follows from the verdict: all of a finalized one, the two fees of one that failed on
-- chain, nothing of one that expired.
ALTER TABLE mint_attempts
    ADD COLUMN base_fee     bigint CHECK (base_fee >= 0),
    ADD COLUMN priority_fee bigint CHECK (priority_fee >= 0),
    ADD COLUMN rent         bigint CHECK (rent >= 0),
    ADD COLUMN protocol_fee bigint CHECK (protocol_fee >= 0),
    ADD CONSTRAINT mint_attempts_cost_check
        CHECK (num_nulls(base_fee, priority_fee, rent, protocol_fee) IN (0, 4));

-- "What was spent since …": rows lie on disk about as they were signed.
CREATE INDEX mint_attempts_signed_at ON mint_attempts USING brin (signed_at);

-- Every transfer from the treasury to a payer, on record before its first send. Each is one signed transaction, which
-- lands once or never: another top-up is another row, and there is none while this one is undecided.
CREATE TABLE top_ups (
    signature               text        PRIMARY KEY,
    treasury                text        NOT NULL,
    payer                   text        NOT NULL CHECK (payer <> treasury),
    lamports                bigint      NOT NULL CHECK (lamports > 0),
    -- The account that it leaves behind where it lands, and nothing else can: its absence is what shows that it did not.
    marker                  text        NOT NULL UNIQUE,
    wire                    bytea       NOT NULL CHECK (octet_length(wire) > 0),
    blockhash               text        NOT NULL,
    last_valid_block_height bigint      NOT NULL CHECK (last_valid_block_height >= 0),
    context_slot            bigint      NOT NULL CHECK (context_slot >= 0),
    endpoint                text        NOT NULL,
    signed_at               timestamptz NOT NULL DEFAULT now(),
    verdict                 text        CHECK (verdict IN ('finalized', 'failed-on-chain', 'expired')),
    -- The slot it landed in.
    slot                    bigint      CHECK (slot >= 0),
    decided_at              timestamptz,
    CHECK ((verdict IS NULL) = (decided_at IS NULL)),
    CHECK ((slot IS NOT NULL) = (verdict IS NOT NULL AND verdict <> 'expired'))
);

-- One at a time, in the whole fleet.
CREATE UNIQUE INDEX top_ups_open ON top_ups ((verdict IS NULL)) WHERE verdict IS NULL;
CREATE INDEX top_ups_signed_at ON top_ups (signed_at);

CREATE TRIGGER frozen BEFORE UPDATE ON top_ups FOR EACH ROW
    WHEN (OLD.verdict IS NOT NULL
          OR (OLD.signature, OLD.treasury, OLD.payer, OLD.lamports, OLD.marker, OLD.wire, OLD.signed_at) IS DISTINCT FROM
             (NEW.signature, NEW.treasury, NEW.payer, NEW.lamports, NEW.marker, NEW.wire, NEW.signed_at))
    EXECUTE FUNCTION refuse_rewriting_history();
CREATE TRIGGER kept BEFORE DELETE ON top_ups
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();

-- When nothing was signed for want of funds, and why nobody brought any. One row a pause, whichever process noticed it.
CREATE TABLE payer_pauses (
    payer    text        NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    reason   text        NOT NULL CHECK (
                 reason IN ('no-treasury', 'treasury-empty', 'day-limit-reached', 'top-up-undecided')),
    -- What the payer had left.
    lamports bigint      NOT NULL CHECK (lamports >= 0),
    ended_at timestamptz,
    PRIMARY KEY (payer, began_at)
);

CREATE UNIQUE INDEX payer_pauses_open ON payer_pauses (payer) WHERE ended_at IS NULL;

CREATE TRIGGER frozen BEFORE UPDATE ON payer_pauses FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL
          OR (OLD.payer, OLD.began_at, OLD.reason, OLD.lamports) IS DISTINCT FROM
             (NEW.payer, NEW.began_at, NEW.reason, NEW.lamports))
    EXECUTE FUNCTION refuse_rewriting_history();
CREATE TRIGGER kept BEFORE DELETE ON payer_pauses
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();
