//! What is on record of mints, for whoever compares it with the chain.

use std::time::Duration;

use domain::{MintAddress, OperationId, Signature, State};
use engine::StoreError;
use uuid::Uuid;

use crate::errors::BadData;
use crate::pool::Store;
use crate::rows::Reader;

/// An operation that has an address, and rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedMint {
    /// Whose.
    pub operation: OperationId,
    /// Where it stands.
    pub state: State,
    /// The address.
    pub mint: MintAddress,
    /// The slot at which it was minted, from `DATABASE_UPDATED` on.
    pub slot: Option<u64>,
    /// Whether it is known that its owner burned it.
    pub burned: bool,
}

impl Store {
    /// At most `most` operations with an address, in the order of their ids, behind `after`: those that have ended or are
    /// recorded as minted, and have not moved for `rested`. What is under way the workers look after.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn recorded_mints(
        &self,
        after: Option<OperationId>,
        rested: Duration,
        most: u16,
    ) -> Result<Vec<RecordedMint>, StoreError> {
        let after = after.map_or(Uuid::nil(), |id| *id.as_uuid());
        let rows = self
            .run("recorded_mints", || {
                sqlx::query!(
                    r#"SELECT operation.id, operation.state, operation.mint_address AS "mint_address!",
                              nft.slot AS "slot?",
                              EXISTS (
                                  SELECT FROM operation_events event
                                  WHERE event.operation_id = operation.id AND event.kind = 'burned') AS "burned!"
                       FROM minting_operations operation LEFT JOIN nfts nft ON nft.operation_id = operation.id
                       WHERE operation.id > $1 AND operation.mint_address IS NOT NULL
                         AND operation.state IN ('DATABASE_UPDATED', 'VERIFIED', 'FAILED', 'ROLLED_BACK')
                         AND operation.updated_at <= now() - make_interval(secs => $2)
                       ORDER BY operation.id
                       LIMIT $3"#,
                    after,
                    rested.as_secs_f64(),
                    i64::from(most),
                )
                .fetch_all(&self.pool)
            })
            .await?;
        let recorded = rows.into_iter().map(|row| {
            let read = Reader { table: "minting_operations", row: row.id };
            Ok(RecordedMint {
                operation: OperationId::from_uuid(row.id),
                state: read.parse("state", &row.state)?,
                mint: read.parse("mint_address", &row.mint_address)?,
                slot: row.slot.map(|slot| read.count("slot", slot)).transpose()?,
                burned: row.burned,
            })
        });
        recorded.collect()
    }

    /// Notes in an operation's history, once, that its NFT was burned by whoever owned it.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn note_burned(&self, id: OperationId) -> Result<(), StoreError> {
        self.run("note_burned", || {
            sqlx::query!(
                "INSERT INTO operation_events (operation_id, kind, version, from_state)
                 SELECT id, 'burned', version, state FROM minting_operations
                 WHERE id = $1 AND NOT EXISTS (
                     SELECT FROM operation_events WHERE operation_id = $1 AND kind = 'burned')",
                id.as_uuid(),
            )
            .execute(&self.pool)
        })
        .await?;
        Ok(())
    }

    /// Those of the transactions that no operation signed, as far as the records go.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn unknown_transactions(&self, signatures: &[Signature]) -> Result<Vec<Signature>, StoreError> {
        let signatures: Vec<String> = signatures.iter().map(ToString::to_string).collect();
        let unknown = self
            .run("unknown_transactions", || {
                sqlx::query_scalar!(
                    r#"SELECT seen.signature AS "signature!" FROM unnest($1::text[]) AS seen (signature)
                       WHERE NOT EXISTS (
                           SELECT FROM mint_attempts attempt WHERE attempt.signature = seen.signature)"#,
                    &signatures,
                )
                .fetch_all(&self.pool)
            })
            .await?;
        let read = |text: String| {
            text.parse().map_err(|problem| BadData::new("mint_attempts", "signature", &text, problem).into())
        };
        unknown.into_iter().map(read).collect()
    }

    /// Whether an operation has this address.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn knows_mint(&self, mint: &MintAddress) -> Result<bool, StoreError> {
        self.run("knows_mint", || {
            sqlx::query_scalar!(
                r#"SELECT EXISTS (SELECT FROM minting_operations WHERE mint_address = $1) AS "known!""#,
                mint.to_string(),
            )
            .fetch_one(&self.pool)
        })
        .await
    }
}
