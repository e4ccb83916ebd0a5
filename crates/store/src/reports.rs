//! What operators ask.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::{MintCost, NftRecord, Operation, OperationId, OperationKind, Signature, State, Verdict, WalletAddress};
use engine::StoreError;
use serde::Serialize;

use crate::errors::BadData;
use crate::pool::Store;
use crate::report_rows::{AttemptRow, HistoryRow, MilestonesRow, NftRow};
use crate::rows::{Reader, select_operations};

/// When an operation last came to each state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Milestones {
    /// INITIATED.
    pub initiated: DateTime<Utc>,
    /// `IMAGE_UPLOADED`.
    pub image_uploaded: Option<DateTime<Utc>>,
    /// `IPFS_UPLOADED`.
    pub ipfs_uploaded: Option<DateTime<Utc>>,
    /// `BLOCKCHAIN_SUBMITTED`.
    pub submitted: Option<DateTime<Utc>>,
    /// `BLOCKCHAIN_CONFIRMED`.
    pub confirmed: Option<DateTime<Utc>>,
    /// `DATABASE_UPDATED`.
    pub database_updated: Option<DateTime<Utc>>,
    /// VERIFIED.
    pub verified: Option<DateTime<Utc>>,
    /// FAILED.
    pub failed: Option<DateTime<Utc>>,
    /// `ROLLED_BACK`.
    pub rolled_back: Option<DateTime<Utc>>,
}

/// Something that happened to an operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// `transition` or `flagged`; later issues add more.
    pub kind: String,
    /// The operation's version with it.
    pub version: i64,
    /// The state before, where it is a transition but not the first.
    pub from: Option<State>,
    /// The state after, where it is a transition.
    pub to: Option<State>,
    /// What it brought: a JSON object.
    pub detail: serde_json::Value,
}

/// A transaction that was signed, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptReport {
    /// Its name.
    pub signature: Signature,
    /// The operation's version that it brought.
    pub version: i64,
    /// When it was put on record.
    pub signed_at: DateTime<Utc>,
    /// Who paid for it; none where that was not written down yet.
    pub payer: Option<WalletAddress>,
    /// The blockhash it was signed with.
    pub blockhash: String,
    /// The last block height at which it can land.
    pub last_valid_block_height: u64,
    /// Micro-lamports per compute unit.
    pub compute_unit_price: u64,
    /// Label of the endpoint that gave the blockhash.
    pub endpoint: String,
    /// What it costs where it lands; none where that was not known when it was signed.
    pub cost: Option<MintCost>,
    /// How it ended; none while that is open.
    pub verdict: Option<Verdict>,
    /// When that was decided.
    pub decided_at: Option<DateTime<Utc>>,
}

/// The finished record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NftReport {
    /// What it says.
    pub record: NftRecord,
    /// When it became business data.
    pub verified_at: Option<DateTime<Utc>>,
}

/// An operation and its way so far.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationSummary {
    /// As it stands.
    pub operation: Operation,
    /// When it came where.
    pub milestones: Milestones,
}

/// All that is known of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationReport {
    /// As it stands.
    pub operation: Operation,
    /// When it came where.
    pub milestones: Milestones,
    /// What happened to it, oldest first.
    pub history: Vec<HistoryEntry>,
    /// What was signed for it, oldest first.
    pub attempts: Vec<AttemptReport>,
    /// Its record, from `DATABASE_UPDATED` on.
    pub nft: Option<NftReport>,
}

impl OperationReport {
    /// How often the step was tried that the operation waits for, or failed in. The row's own count begins anew with every
    /// transition; after a failure the history tells it, where the try that ended as FAILED is one more.
    #[must_use]
    pub fn tries(&self) -> u64 {
        let failed = self.history.iter().rfind(|entry| entry.to == Some(State::Failed));
        let Some(failed) = failed.filter(|_| matches!(self.operation.state, State::Failed | State::RolledBack)) else {
            return self.operation.attempts.unsigned_abs().into();
        };
        let tried = |entry: &&HistoryEntry| entry.kind == "attempt-failed" && entry.version == failed.version - 1;
        self.history.iter().filter(tried).count() as u64 + 1
    }
}

/// Which operations to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFilter {
    /// In this state only.
    pub state: Option<State>,
    /// Of this kind only.
    pub kind: Option<OperationKind>,
    /// For this wallet only.
    pub wallet: Option<WalletAddress>,
    /// Only those that a person should look at.
    pub needs_review: bool,
    /// Only those that came in since.
    pub since: Option<DateTime<Utc>>,
    /// At most so many.
    pub limit: u32,
}

impl Default for ListFilter {
    fn default() -> Self {
        Self { state: None, kind: None, wallet: None, needs_review: false, since: None, limit: 50 }
    }
}

impl Store {
    /// All that is known of one operation; none where there is no such id.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn operation(&self, id: OperationId) -> Result<Option<OperationReport>, StoreError> {
        let row = self
            .run("operation", || select_operations!("WHERE operation.id = $1", id.as_uuid()).fetch_optional(&self.pool))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let operation = Operation::try_from(row)?;
        let mut milestones = self.milestones(&[id]).await?;
        // The row was there, and rows stay.
        let Some(milestones) = milestones.remove(&id) else { return Ok(None) };
        Ok(Some(OperationReport {
            operation,
            milestones,
            history: self.history(id).await?,
            attempts: self.attempts(id).await?,
            nft: self.nft(id).await?,
        }))
    }

    /// The newest operations that pass the filter, newest first. One that cannot be read does not hide the others.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn list(&self, filter: &ListFilter) -> Result<Vec<Result<OperationSummary, BadData>>, StoreError> {
        let wallet = filter.wallet.map(|wallet| wallet.to_string());
        let rows = self
            .run("list", || {
                select_operations!(
                    r"WHERE ($1::text IS NULL OR operation.state = $1)
                        AND ($2::text IS NULL OR operation.kind = $2)
                        AND ($3::text IS NULL OR operation.wallet = $3)
                        AND (NOT $4::boolean OR operation.needs_review IS NOT NULL)
                        AND ($5::timestamptz IS NULL OR operation.created_at >= $5)
                      ORDER BY operation.created_at DESC, operation.id
                      LIMIT $6",
                    filter.state.map(State::as_str),
                    filter.kind.map(OperationKind::as_str),
                    wallet.as_deref(),
                    filter.needs_review,
                    filter.since,
                    i64::from(filter.limit),
                )
                .fetch_all(&self.pool)
            })
            .await?;
        let ids: Vec<OperationId> = rows.iter().map(|row| OperationId::from_uuid(row.id)).collect();
        let mut milestones = self.milestones(&ids).await?;
        let summaries = rows.into_iter().filter_map(|row| {
            let milestones = milestones.remove(&OperationId::from_uuid(row.id))?;
            Some(Operation::try_from(row).map(|operation| OperationSummary { operation, milestones }))
        });
        Ok(summaries.collect())
    }

    /// How many operations stand in each state, every state named. Counts the whole table: for people, not for a loop.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn counts_by_state(&self) -> Result<BTreeMap<State, u64>, StoreError> {
        let rows = self
            .run("counts", || {
                sqlx::query!(
                    r#"SELECT state, count(*) AS "operations!", min(id::text) AS "example!"
                       FROM minting_operations GROUP BY state"#
                )
                .fetch_all(&self.pool)
            })
            .await?;
        let mut counts: BTreeMap<State, u64> = State::ALL.into_iter().map(|state| (state, 0)).collect();
        for row in rows {
            let read = Reader { table: "minting_operations", row: &row.example };
            counts.insert(read.parse("state", &row.state)?, read.count("state", row.operations)?);
        }
        Ok(counts)
    }

    async fn milestones(&self, ids: &[OperationId]) -> Result<HashMap<OperationId, Milestones>, StoreError> {
        let ids: Vec<_> = ids.iter().map(|id| *id.as_uuid()).collect();
        let rows = self
            .run("milestones", || {
                sqlx::query_as!(
                    MilestonesRow,
                    r"SELECT id, created_at, image_uploaded_at, ipfs_uploaded_at, submitted_at, confirmed_at,
                             database_updated_at, verified_at, failed_at, rolled_back_at
                      FROM minting_operations WHERE id = ANY ($1)",
                    &ids
                )
                .fetch_all(&self.pool)
            })
            .await?;
        Ok(rows.into_iter().map(|row| (OperationId::from_uuid(row.id), row.into())).collect())
    }

    async fn history(&self, id: OperationId) -> Result<Vec<HistoryEntry>, StoreError> {
        let rows = self
            .run("history", || {
                sqlx::query_as!(
                    HistoryRow,
                    r"SELECT id, at, kind, version, from_state, to_state, detail
                      FROM operation_events WHERE operation_id = $1 ORDER BY id",
                    id.as_uuid()
                )
                .fetch_all(&self.pool)
            })
            .await?;
        rows.into_iter().map(|row| Ok(row.try_into()?)).collect()
    }

    async fn attempts(&self, id: OperationId) -> Result<Vec<AttemptReport>, StoreError> {
        let rows = self
            .run("attempts", || {
                sqlx::query_as!(
                    AttemptRow,
                    r"SELECT signature, version, signed_at, payer, blockhash, last_valid_block_height, compute_unit_price,
                             endpoint, base_fee, priority_fee, rent, protocol_fee, verdict, decided_at
                      FROM mint_attempts WHERE operation_id = $1 ORDER BY version",
                    id.as_uuid()
                )
                .fetch_all(&self.pool)
            })
            .await?;
        rows.into_iter().map(|row| Ok(row.try_into()?)).collect()
    }

    async fn nft(&self, id: OperationId) -> Result<Option<NftReport>, StoreError> {
        let row = self
            .run("nft", || {
                sqlx::query_as!(
                    NftRow,
                    r"SELECT mint_address, owner, name, symbol, uri, signature, slot, verified_at
                      FROM nfts WHERE operation_id = $1",
                    id.as_uuid()
                )
                .fetch_optional(&self.pool)
            })
            .await?;
        row.map(|row| Ok(row.try_into()?)).transpose()
    }
}
