-- What is cleared away: the bytes of transactions that are over, and the contents of operations that failed for good.

-- The bytes of a decided attempt may go; its signature and its verdict stay as they are.
ALTER TABLE mint_attempts
    DROP CONSTRAINT mint_attempts_wire_check,
    ADD CONSTRAINT mint_attempts_wire_check CHECK (octet_length(wire) > 0 OR verdict IS NOT NULL);

CREATE INDEX mint_attempts_bytes ON mint_attempts (decided_at) WHERE verdict IS NOT NULL AND octet_length(wire) > 0;

DROP TRIGGER frozen ON mint_attempts;
CREATE TRIGGER frozen BEFORE UPDATE ON mint_attempts FOR EACH ROW
    WHEN ((OLD.verdict IS NOT NULL
           OR (OLD.signature, OLD.operation_id, OLD.wire) IS DISTINCT FROM (NEW.signature, NEW.operation_id, NEW.wire))
          AND NOT (OLD.verdict IS NOT NULL AND octet_length(NEW.wire) = 0
                   AND to_jsonb(OLD) - 'wire' = to_jsonb(NEW) - 'wire'))
    EXECUTE FUNCTION refuse_change_of_attempt();

-- Failed operations whose content is still pinned, as they fall due.
CREATE INDEX minting_operations_rollback ON minting_operations (failed_at)
    WHERE state = 'FAILED' AND num_nonnulls(image_cid, metadata_cid) > 0;

-- Who refers to a content: whoever has not ended without an NFT.
CREATE INDEX minting_operations_image ON minting_operations (image_cid)
    WHERE image_cid IS NOT NULL AND state NOT IN ('FAILED', 'ROLLED_BACK');
CREATE INDEX minting_operations_metadata ON minting_operations (metadata_cid)
    WHERE metadata_cid IS NOT NULL AND state NOT IN ('FAILED', 'ROLLED_BACK');
