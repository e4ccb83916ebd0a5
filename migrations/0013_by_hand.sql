-- What a person asked for when they had the operation tried again (crates/domain/src/terms.rs); it counts until the next
-- retry by hand.
ALTER TABLE minting_operations ADD COLUMN retry_terms jsonb;
