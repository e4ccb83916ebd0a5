-- Who signed each transaction, paid for it, and is the creator of what it minted. Null for what was signed before this was
-- written down.
ALTER TABLE mint_attempts ADD COLUMN payer text;

-- The master secrets from which this fleet ever derived mint addresses. Nothing of them is here but their names and a
-- fingerprint each, by which a wrong secret under a known name is refused before anything is derived from it.
CREATE TABLE mint_keys (
    key_id         text        PRIMARY KEY CHECK (key_id <> ''),
    fingerprint    bytea       NOT NULL UNIQUE CHECK (octet_length(fingerprint) = 32),
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    -- When it last took the place of another one; the latest is in use. Null for one that was only ever configured as
    -- retired.
    activated_at   timestamptz,
    -- A block height at which nothing can land any more that was signed under another secret before that. It is learned
    -- when the chain is first asked after that.
    settled_height bigint      CHECK (settled_height >= 0),
    CHECK (settled_height IS NULL OR activated_at IS NOT NULL)
);

CREATE FUNCTION refuse_change_of_mint_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM minting_operations WHERE key_id = OLD.key_id) THEN
            RAISE EXCEPTION 'master secret %: operations have their addresses from it', OLD.key_id;
        END IF;
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'master secret %: name and fingerprint are frozen', OLD.key_id;
END
$$;

CREATE TRIGGER frozen BEFORE UPDATE ON mint_keys FOR EACH ROW
    WHEN ((OLD.key_id, OLD.fingerprint) IS DISTINCT FROM (NEW.key_id, NEW.fingerprint))
    EXECUTE FUNCTION refuse_change_of_mint_key();
CREATE TRIGGER kept BEFORE DELETE ON mint_keys FOR EACH ROW EXECUTE FUNCTION refuse_change_of_mint_key();
