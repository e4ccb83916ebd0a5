-- One burn pays for one mint: who holds the claim on a burned NFT. A row is inserted only after the burn was verified at
-- finality, together with the operation's mint address, which is derived from the burned mint.
CREATE TABLE burn_claims (
    burned_mint  text        PRIMARY KEY,
    operation_id uuid        NOT NULL UNIQUE REFERENCES minting_operations (id),
    claimed_at   timestamptz NOT NULL DEFAULT now()
);

-- A holder that ended without an NFT gives its claim up: it stays in its state, its version is raised, so that whoever
-- decided something about it decides again, and its address is forgotten, so that it must claim anew.
CREATE FUNCTION gives_claim_up(old_row minting_operations, new_row minting_operations) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN old_row.kind = 'upgrade' AND old_row.state IN ('FAILED', 'ROLLED_BACK') AND new_row.state = old_row.state
       AND new_row.version = old_row.version + 1
       AND old_row.mint_address IS NOT NULL AND new_row.mint_address IS NULL;

CREATE OR REPLACE FUNCTION refuse_illegal_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT state_may_become(OLD.state, NEW.state) THEN
        IF gives_claim_up(OLD, NEW) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'operation % may not go from % to %', OLD.id, OLD.state, NEW.state;
    END IF;
    IF NEW.version IS DISTINCT FROM OLD.version + 1 THEN
        RAISE EXCEPTION 'operation % goes from % to % with version %, not %',
            OLD.id, OLD.state, NEW.state, OLD.version + 1, NEW.version;
    END IF;
    RETURN NEW;
END
$$;

DROP TRIGGER frozen_mint ON minting_operations;
CREATE TRIGGER frozen_mint BEFORE UPDATE OF mint_address ON minting_operations FOR EACH ROW
    WHEN (OLD.mint_address IS NOT NULL AND OLD.mint_address IS DISTINCT FROM NEW.mint_address
          AND NOT gives_claim_up(OLD, NEW))
    EXECUTE FUNCTION refuse_change_of_frozen('mint_address');

-- A claim is held by an upgrade that names the burn, and moves only away from an operation that has given it up and of
-- which no transaction can land any more.
CREATE FUNCTION refuse_false_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM minting_operations operation
        WHERE operation.id = NEW.operation_id AND operation.kind = 'upgrade'
          AND operation.content #>> '{burn,mint}' = NEW.burned_mint
    ) THEN
        RAISE EXCEPTION 'operation % is no upgrade that the burn of % pays for', NEW.operation_id, NEW.burned_mint;
    END IF;
    IF TG_OP = 'UPDATE' AND (
        NEW.burned_mint IS DISTINCT FROM OLD.burned_mint
        OR EXISTS (
            SELECT FROM minting_operations holder
            WHERE holder.id = OLD.operation_id
              AND (holder.state NOT IN ('FAILED', 'ROLLED_BACK') OR holder.mint_address IS NOT NULL))
        OR EXISTS (
            SELECT FROM mint_attempts attempt WHERE attempt.operation_id = OLD.operation_id AND attempt.verdict IS NULL)
    ) THEN
        RAISE EXCEPTION 'operation % has not given up its claim on the burn of %', OLD.operation_id, OLD.burned_mint;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER held BEFORE INSERT OR UPDATE ON burn_claims
    FOR EACH ROW EXECUTE FUNCTION refuse_false_claim();
CREATE TRIGGER kept BEFORE DELETE ON burn_claims
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();

-- No transaction of an upgrade without the claim, whoever asks: the statement that inserts attempts asks the same, and
-- this looks once more when it may have waited.
CREATE FUNCTION refuse_attempt_without_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM minting_operations operation
        WHERE operation.id = NEW.operation_id AND operation.kind = 'upgrade'
          AND NOT EXISTS (SELECT FROM burn_claims claim WHERE claim.operation_id = operation.id)
    ) THEN
        RAISE EXCEPTION 'operation % is an upgrade and does not hold the claim on its burn', NEW.operation_id;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER paid BEFORE INSERT ON mint_attempts
    FOR EACH ROW EXECUTE FUNCTION refuse_attempt_without_claim();
