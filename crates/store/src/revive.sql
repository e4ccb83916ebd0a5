-- Takes an operation that has ended up again: a person's retry, or an NFT that was found on chain.
-- `locked` takes the row, and only where it still stands as the person saw it; of two people the second finds nothing.
-- `held` takes the contents it refers to, so that nobody unpins them before this is committed.
-- `fitting` is left where nothing stands against it.
-- `noted` writes the ledger first, where there is a letter; `revived` moves the operation only where that was news: one
-- letter, one retry.
WITH locked AS MATERIALIZED (
    SELECT id, state, image_cid, metadata_cid FROM minting_operations
    WHERE id = $1 AND version = $2 AND state IN ('FAILED', 'ROLLED_BACK')
    FOR UPDATE
), held AS MATERIALIZED (
    SELECT pin.cid FROM pinned_content pin
    WHERE pin.state = 'pinned'
      AND pin.cid IN (SELECT image_cid FROM locked UNION SELECT metadata_cid FROM locked)
    ORDER BY pin.cid, pin.provider
    FOR SHARE OF pin
), judged AS MATERIALIZED (
    SELECT locked.id,
           CASE
               WHEN $3::text IS NOT NULL THEN 'BLOCKCHAIN_CONFIRMED'
               WHEN locked.state = 'FAILED' AND $4::jsonb IS NULL AND $13::text IS DISTINCT FROM 'INITIATED'
                    AND image_cid IN (SELECT cid FROM held) AND metadata_cid IN (SELECT cid FROM held)
                   THEN 'IPFS_UPLOADED'
               ELSE 'INITIATED'
           END AS to_state,
           $3::text IS NULL AND EXISTS (
               SELECT FROM mint_attempts attempt
               WHERE attempt.operation_id = locked.id AND attempt.verdict IS NULL) AS undecided
    FROM locked
), fitting AS MATERIALIZED (
    SELECT id, to_state FROM judged WHERE NOT undecided AND ($13::text IS NULL OR to_state = $13::text)
), noted AS (
    INSERT INTO dead_letters AS letter (
        id, deed, topic, partition, record_offset, fingerprint, operation_id, outcome, done_by, reason)
    SELECT $5::uuid, 'replay', $6::text, $7::integer, $8::bigint, $9::text, fitting.id,
           CASE fitting.to_state WHEN 'BLOCKCHAIN_CONFIRMED' THEN 'confirmed' ELSE 'retried' END, $10::text, $11::text
    FROM fitting WHERE $5::uuid IS NOT NULL
    ON CONFLICT (id, deed) DO UPDATE
    SET outcome = excluded.outcome, claimed_until = NULL, edited = NULL, operation_id = excluded.operation_id,
        done_by = excluded.done_by, reason = excluded.reason, done_at = now()
    WHERE letter.outcome IS NULL AND letter.claimed_until <= now()
    RETURNING letter.id
), revived AS (
    UPDATE minting_operations operation SET
        state = fitting.to_state,
        previous_state = operation.state,
        version = operation.version + 1,
        -- What begins anew refers to nothing: it pins what it needs.
        image_cid = CASE fitting.to_state WHEN 'INITIATED' THEN NULL ELSE operation.image_cid END,
        metadata_cid = CASE fitting.to_state WHEN 'INITIATED' THEN NULL ELSE operation.metadata_cid END,
        signature = coalesce($3, operation.signature),
        attempts = 0,
        next_attempt_at = NULL,
        claimed_until = NULL,
        wakes = 0,
        failure_class = NULL,
        failure_code = NULL,
        failure_message = NULL,
        needs_review = NULL,
        retry_terms = nullif($12::jsonb, '{}'),
        status_owed = true,
        ipfs_uploaded_at = CASE fitting.to_state WHEN 'IPFS_UPLOADED' THEN now() ELSE ipfs_uploaded_at END,
        confirmed_at = CASE fitting.to_state WHEN 'BLOCKCHAIN_CONFIRMED' THEN now() ELSE confirmed_at END,
        updated_at = now()
    FROM fitting
    WHERE operation.id = fitting.id AND operation.version = $2 AND ($5::uuid IS NULL OR EXISTS (SELECT FROM noted))
    RETURNING operation.id, operation.version, operation.state, operation.previous_state, operation.retry_terms
), amended AS (
    INSERT INTO content_amendments (operation_id, version, content, amended_by, reason)
    SELECT id, version, $4, $10, $11 FROM revived WHERE $4 IS NOT NULL
), history AS (
    INSERT INTO operation_events (operation_id, kind, version, from_state, to_state, detail)
    SELECT id, 'transition', version, previous_state, state,
           jsonb_strip_nulls(jsonb_build_object(
               'by', $10, 'reason', $11, 'deadLetter', $5, 'signature', $3,
               'amended', CASE WHEN $4 IS NOT NULL THEN true END, 'terms', retry_terms))
    FROM revived
)
SELECT (SELECT to_state FROM judged) AS would_be, EXISTS (SELECT FROM judged WHERE undecided) AS "undecided!",
       (SELECT state FROM revived) AS state
