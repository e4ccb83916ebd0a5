//! Who holds the claim on a burn.

use domain::{MintAddress, Operation, OperationId};
use engine::{BurnClaim, BurnHolder, MintPlace, StoreError};

use crate::pool::Store;
use crate::rows::Reader;

/// Claims what nobody has. The burn is read from the operation's own row: no caller can claim what it does not name.
pub(crate) async fn claim(store: &Store, operation: &Operation, place: &MintPlace) -> Result<BurnClaim, StoreError> {
    let asked = store
        .run("claim_burn", || {
            sqlx::query!(
                r#"WITH locked AS MATERIALIZED (
                       SELECT id, content #>> '{burn,mint}' AS burned_mint FROM minting_operations
                       WHERE id = $1 AND version = $2 AND state = $3 AND kind = 'upgrade'
                       FOR UPDATE
                   ), claimed AS (
                       INSERT INTO burn_claims (burned_mint, operation_id)
                       SELECT burned_mint, id FROM locked WHERE burned_mint IS NOT NULL
                       ON CONFLICT DO NOTHING
                       RETURNING operation_id, burned_mint
                   ), own AS (
                       SELECT operation_id FROM claimed
                       UNION
                       SELECT claim.operation_id FROM burn_claims claim JOIN locked
                       ON claim.operation_id = locked.id AND claim.burned_mint = locked.burned_mint
                   ), placed AS (
                       UPDATE minting_operations operation SET mint_address = $4::text, key_id = $5::text
                       FROM own WHERE operation.id = own.operation_id
                       RETURNING operation.id, operation.version, operation.state
                   ), history AS (
                       INSERT INTO operation_events (operation_id, kind, version, from_state, to_state, detail)
                       SELECT placed.id, 'burn-claimed', version, state, state,
                              jsonb_build_object('burn', claimed.burned_mint, 'mintAddress', $4::text, 'keyId', $5::text)
                       FROM placed JOIN claimed ON claimed.operation_id = placed.id
                   )
                   SELECT EXISTS (SELECT FROM locked) AS "matched!", EXISTS (SELECT FROM placed) AS "held!""#,
                operation.id.as_uuid(),
                operation.version,
                operation.state.as_str(),
                place.mint.to_string(),
                &place.key_id,
            )
            .fetch_one(&store.pool)
        })
        .await?;
    match (asked.matched, asked.held, operation.content.burn) {
        (_, true, _) => Ok(BurnClaim::Held),
        (true, false, Some(burn)) => holder(store, &burn.mint).await,
        (true, false, None) | (false, false, _) => Ok(BurnClaim::Overtaken),
    }
}

/// A statement of its own, for only a new snapshot sees what another process inserted meanwhile.
async fn holder(store: &Store, burned: &MintAddress) -> Result<BurnClaim, StoreError> {
    let row = store
        .run("burn_holder", || {
            sqlx::query!(
                r#"SELECT holder.id, holder.version, holder.state, holder.wallet, holder.mint_address,
                          (SELECT max(context_slot) FROM mint_attempts WHERE operation_id = holder.id) AS newest_slot
                   FROM burn_claims claim JOIN minting_operations holder ON holder.id = claim.operation_id
                   WHERE claim.burned_mint = $1"#,
                burned.to_string(),
            )
            .fetch_optional(&store.pool)
        })
        .await?;
    // Claims are never deleted: whoever was in the way is there.
    let Some(row) = row else { return Ok(BurnClaim::Overtaken) };
    let read = Reader { table: "minting_operations", row: row.id };
    Ok(BurnClaim::HeldBy(BurnHolder {
        id: OperationId::from_uuid(row.id),
        version: row.version,
        state: read.parse("state", &row.state)?,
        wallet: read.parse("wallet", &row.wallet)?,
        mint: read.parse_some("mint_address", row.mint_address.as_deref())?,
        newest_slot: row.newest_slot.map(|slot| read.count("context_slot", slot)).transpose()?,
    }))
}

/// One statement: the claim is with one of the two at every moment.
pub(crate) async fn hand_over(
    store: &Store,
    holder: &BurnHolder,
    heir: &Operation,
    place: &MintPlace,
) -> Result<bool, StoreError> {
    let Some(burn) = heir.content.burn else { return Ok(false) };
    let moved = store
        .run("hand_over_burn", || {
            sqlx::query_file!(
                "src/hand_over_burn.sql",
                holder.id.as_uuid(),
                holder.version,
                heir.id.as_uuid(),
                heir.version,
                heir.state.as_str(),
                burn.mint.to_string(),
                place.mint.to_string(),
                &place.key_id,
            )
            .fetch_one(&store.pool)
        })
        .await?;
    Ok(moved.moved)
}
