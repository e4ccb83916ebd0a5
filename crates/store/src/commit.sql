-- Commits a batch of transitions. How the parts depend on each other:
-- `locked` takes the rows in the order of their ids, so that two batches cannot wait for each other, and only where
-- state and version are what the step saw. Where another transaction is there first, PostgreSQL looks again at the row
-- that it leaves.
-- `held` takes the contents that are stored, so that nobody unpins them before this is committed.
-- `advanced` moves what is locked and whose guards hold. All else is inserted or updated FROM its rows, which carry
-- their input along: no joins, whose plans would rest on guesses.
-- An upgrade takes its address, and with it any attempt, only while it holds the claim on its burn: a claim is handed over
-- with the version raised, so the version that is locked says that the claim still stands.
-- `decided` closes attempts before `signed` opens new ones: `signed` asks for its count, so that the unique index over
-- open attempts is free whatever plan is chosen.
WITH input AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1) AS input (
        ordinal integer, id uuid, version bigint, from_state text, to_state text, image_cid text, metadata_cid text,
        mint_address text, key_id text, signature text, forget_signature boolean, failure_class text,
        failure_code text, failure_message text, decided_signature text, verdict text, attempt_signature text,
        wire bytea, payer text, blockhash text, last_valid_block_height bigint, context_slot bigint,
        compute_unit_price bigint, endpoint text, base_fee bigint, priority_fee bigint, rent bigint,
        protocol_fee bigint, nft_mint text, nft_owner text, nft_name text, nft_symbol text, nft_uri text,
        nft_signature text, nft_slot bigint, done_by text, reason text)
), locked AS MATERIALIZED (
    SELECT operation.id FROM minting_operations operation JOIN input USING (id)
    WHERE operation.version = input.version AND operation.state = input.from_state
    ORDER BY operation.id
    FOR UPDATE OF operation
), held AS MATERIALIZED (
    SELECT pin.cid FROM pinned_content pin
    WHERE pin.state = 'pinned'
      AND pin.cid IN (SELECT image_cid FROM input UNION SELECT metadata_cid FROM input)
    ORDER BY pin.cid, pin.provider
    FOR SHARE OF pin
), guarded AS MATERIALIZED (
    SELECT input.*, locked.id IS NOT NULL AS matched,
           (image_cid IS NULL OR image_cid IN (SELECT cid FROM held))
           AND (metadata_cid IS NULL OR metadata_cid IN (SELECT cid FROM held)) AS held
    FROM input LEFT JOIN locked USING (id)
), advanced AS (
    UPDATE minting_operations operation SET
        state = input.to_state,
        previous_state = operation.state,
        failed_from = CASE input.to_state WHEN 'FAILED' THEN operation.state ELSE operation.failed_from END,
        version = operation.version + 1,
        image_cid = coalesce(input.image_cid, operation.image_cid),
        metadata_cid = coalesce(input.metadata_cid, operation.metadata_cid),
        mint_address = coalesce(input.mint_address, operation.mint_address),
        key_id = coalesce(input.key_id, operation.key_id),
        signature = CASE WHEN NOT input.forget_signature THEN coalesce(input.signature, operation.signature) END,
        attempts = 0,
        next_attempt_at = NULL,
        claimed_until = NULL,
        requested_at = NULL,
        wakes = 0,
        -- A record came with this change, and stays until the status is told. With a person's command none came; and
        -- where the row is to be published from, none may be left: whoever sent this gave up before it was executed, and
        -- whoever publishes the row may die first.
        status_owed = input.done_by IS NOT NULL OR operation.status_owed
            OR operation.next_attempt_at IS NOT NULL OR operation.claimed_until IS NOT NULL,
        needs_review = CASE WHEN input.done_by IS NULL THEN operation.needs_review END,
        failure_class = input.failure_class,
        failure_code = input.failure_code,
        failure_message = input.failure_message,
        image_uploaded_at = CASE input.to_state WHEN 'IMAGE_UPLOADED' THEN now() ELSE image_uploaded_at END,
        ipfs_uploaded_at = CASE input.to_state WHEN 'IPFS_UPLOADED' THEN now() ELSE ipfs_uploaded_at END,
        submitted_at = CASE input.to_state WHEN 'BLOCKCHAIN_SUBMITTED' THEN now() ELSE submitted_at END,
        confirmed_at = CASE input.to_state WHEN 'BLOCKCHAIN_CONFIRMED' THEN now() ELSE confirmed_at END,
        database_updated_at = CASE input.to_state WHEN 'DATABASE_UPDATED' THEN now() ELSE database_updated_at END,
        verified_at = CASE input.to_state WHEN 'VERIFIED' THEN now() ELSE verified_at END,
        failed_at = CASE input.to_state WHEN 'FAILED' THEN now() ELSE failed_at END,
        updated_at = now()
    FROM guarded input
    WHERE input.matched AND input.held
      AND operation.id = input.id AND operation.version = input.version AND operation.state = input.from_state
      AND (input.decided_signature IS NULL OR EXISTS (
               SELECT FROM mint_attempts attempt
               WHERE attempt.signature = input.decided_signature AND attempt.operation_id = input.id
                 AND attempt.verdict IS NULL))
      AND (input.to_state NOT IN ('FAILED', 'BLOCKCHAIN_SUBMITTED') OR input.forget_signature OR NOT EXISTS (
               SELECT FROM mint_attempts attempt
               WHERE attempt.operation_id = input.id AND attempt.verdict IS NULL
                 AND attempt.signature IS DISTINCT FROM input.decided_signature))
      AND (input.mint_address IS NULL OR operation.kind <> 'upgrade' OR EXISTS (
               SELECT FROM burn_claims claim WHERE claim.operation_id = input.id))
    RETURNING input.*, operation.version AS new_version, operation.updated_at AS at
), decided AS (
    -- A finalized mint closes the open attempt, whichever it is: another one can mint nothing any more.
    UPDATE mint_attempts attempt SET
        decided_at = advanced.at,
        verdict = CASE
            WHEN advanced.to_state <> 'DATABASE_UPDATED' THEN advanced.verdict
            WHEN attempt.signature = advanced.nft_signature THEN 'finalized'
            ELSE 'expired'
        END
    FROM advanced
    WHERE attempt.operation_id = advanced.id AND attempt.verdict IS NULL
      AND (attempt.signature = advanced.decided_signature OR advanced.to_state = 'DATABASE_UPDATED')
    RETURNING attempt.signature
), signed AS (
    INSERT INTO mint_attempts (
        signature, operation_id, version, wire, payer, blockhash, last_valid_block_height, context_slot,
        compute_unit_price, endpoint, base_fee, priority_fee, rent, protocol_fee, signed_at)
    SELECT attempt_signature, id, new_version, wire, payer, blockhash, last_valid_block_height, context_slot,
           compute_unit_price, endpoint, base_fee, priority_fee, rent, protocol_fee, at
    FROM advanced
    WHERE attempt_signature IS NOT NULL AND (SELECT count(*) FROM decided) >= 0
), recorded AS (
    INSERT INTO nfts (mint_address, operation_id, owner, name, symbol, uri, signature, slot)
    SELECT nft_mint, id, nft_owner, nft_name, nft_symbol, nft_uri, nft_signature, nft_slot
    FROM advanced
    WHERE to_state = 'DATABASE_UPDATED'
), verified AS (
    UPDATE nfts SET verified_at = advanced.at
    FROM advanced
    WHERE nfts.operation_id = advanced.id AND advanced.to_state = 'VERIFIED'
), history AS (
    INSERT INTO operation_events (operation_id, kind, version, from_state, to_state, at, detail)
    SELECT id, 'transition', new_version, from_state, to_state, at,
           jsonb_strip_nulls(jsonb_build_object(
               'imageCid', image_cid, 'metadataCid', metadata_cid, 'mintAddress', mint_address, 'keyId', key_id,
               'signature', coalesce(attempt_signature, signature, nft_signature), 'endpoint', endpoint,
               'decided', decided_signature, 'verdict', verdict,
               'class', failure_class, 'code', failure_code, 'message', failure_message,
               'by', done_by, 'reason', reason))
    FROM advanced
)
SELECT guarded.ordinal AS "ordinal!", guarded.matched AS "matched!", guarded.held AS "held!", advanced.at AS "at?"
FROM guarded LEFT JOIN advanced USING (ordinal)
