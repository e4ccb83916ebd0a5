-- Moves the claim on a burn from an operation that ended without an NFT to the same wallet's next one.
-- `locked` takes both in the order of their ids, and only where they stand as they were seen; `claim` takes the claim, and
-- only where the holder still has it; `ready` is there only if all of that holds and nothing of the holder can land.
-- Each of the changes asks for the one before it, so that all of them happen, in this order, or none: the address is
-- unique, and is the same one before and after, unless the master secret was changed in between.
WITH locked AS MATERIALIZED (
    SELECT id FROM minting_operations
    WHERE (id = $1 AND version = $2 AND state IN ('FAILED', 'ROLLED_BACK') AND kind = 'upgrade')
       OR (id = $3 AND version = $4 AND state = $5 AND kind = 'upgrade' AND mint_address IS NULL)
    ORDER BY id
    FOR UPDATE
), claim AS MATERIALIZED (
    SELECT burned_mint FROM burn_claims
    WHERE burned_mint = $6 AND operation_id = $1 AND (SELECT count(*) FROM locked) = 2
    FOR UPDATE
), ready AS MATERIALIZED (
    SELECT claim.burned_mint
    FROM claim
    JOIN minting_operations holder ON holder.id = $1
    JOIN minting_operations heir ON heir.id = $3 AND heir.wallet = holder.wallet
    WHERE NOT EXISTS (SELECT FROM mint_attempts attempt WHERE attempt.operation_id = $1 AND attempt.verdict IS NULL)
), given_up AS (
    UPDATE minting_operations operation SET
        version = operation.version + 1,
        mint_address = NULL,
        key_id = NULL,
        -- Told without an address from now on.
        status_owed = true,
        updated_at = now()
    WHERE operation.id = $1 AND EXISTS (SELECT FROM ready)
    RETURNING operation.id, operation.version, operation.state
), moved AS (
    UPDATE burn_claims SET operation_id = $3, claimed_at = now()
    WHERE burned_mint = $6 AND (SELECT count(*) FROM given_up) = 1
    RETURNING burned_mint
), taken AS (
    UPDATE minting_operations operation SET mint_address = $7, key_id = $8
    WHERE operation.id = $3 AND (SELECT count(*) FROM moved) = 1
    RETURNING operation.id, operation.version, operation.state
), history AS (
    INSERT INTO operation_events (operation_id, kind, version, from_state, to_state, detail)
    SELECT id, 'burn-claim-given-up', version, state, state,
           jsonb_build_object('burn', $6::text, 'to', $3::uuid)
    FROM given_up
    UNION ALL
    SELECT id, 'burn-claimed', version, state, state,
           jsonb_build_object('burn', $6::text, 'from', $1::uuid, 'mintAddress', $7::text, 'keyId', $8::text)
    FROM taken
)
SELECT EXISTS (SELECT FROM taken) AS "moved!"
