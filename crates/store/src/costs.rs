//! What minting cost: told by the attempts, each of which has on record what it takes where it lands.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{MintCost, OperationKind, Verdict};
use engine::StoreError;

use crate::errors::BadData;
use crate::pool::Store;
use crate::reports::{AttemptReport, OperationReport};
use crate::rows::Reader;

/// The cost columns of `mint_attempts`, in the order of [`MintCost`]'s fields. All of them are there, or none.
pub(crate) fn cost<R: std::fmt::Display>(
    read: &Reader<R>,
    columns: [Option<i64>; 4],
) -> Result<Option<MintCost>, BadData> {
    let [Some(base_fee), Some(priority_fee), Some(rent), Some(protocol_fee)] = columns else { return Ok(None) };
    Ok(Some(MintCost {
        base_fee: read.count("base_fee", base_fee)?,
        priority_fee: read.count("priority_fee", priority_fee)?,
        rent: read.count("rent", rent)?,
        protocol_fee: read.count("protocol_fee", protocol_fee)?,
    }))
}

/// What was spent on some transactions, lamports, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spending {
    /// Transactions that minted an NFT.
    pub nfts: u64,
    /// Those that landed and failed: their fees are gone.
    pub failed: u64,
    /// Those that never landed: they cost nothing.
    pub expired: u64,
    /// Those whose fate is open: nothing of them is counted yet.
    pub open: u64,
    /// Those that landed while it was not known what they cost: nothing of them is counted.
    pub unknown: u64,
    /// All that was spent.
    pub spent: MintCost,
    /// What the NFTs would have cost with the first transaction of each landing, without any priority.
    pub floor: u64,
}

impl Spending {
    /// Of two together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            nfts: self.nfts + other.nfts,
            failed: self.failed + other.failed,
            expired: self.expired + other.expired,
            open: self.open + other.open,
            unknown: self.unknown + other.unknown,
            spent: self.spent + other.spent,
            floor: self.floor + other.floor,
        }
    }

    /// Lamports an NFT, all told; none where there is no NFT, or one of unknown cost.
    #[must_use]
    pub fn per_nft(&self) -> Option<u64> {
        self.spent.total().checked_div(self.nfts).filter(|_| self.unknown == 0)
    }

    /// The least that an NFT could have cost, likewise.
    #[must_use]
    pub fn floor_per_nft(&self) -> Option<u64> {
        self.floor.checked_div(self.nfts).filter(|_| self.unknown == 0)
    }

    fn count(&mut self, attempt: &AttemptReport, minted: bool) {
        let verdict = if minted { Some(Verdict::Finalized) } else { attempt.verdict };
        match verdict {
            Some(Verdict::Finalized) => self.nfts += 1,
            Some(Verdict::FailedOnChain) => self.failed += 1,
            Some(Verdict::Expired) => self.expired += 1,
            None => self.open += 1,
        }
        match (verdict, attempt.cost) {
            (Some(verdict), Some(cost)) => {
                self.spent = self.spent + cost.spent(verdict);
                self.floor += if verdict == Verdict::Finalized { cost.floor() } else { 0 };
            }
            (Some(Verdict::Finalized | Verdict::FailedOnChain), None) => self.unknown += 1,
            (Some(Verdict::Expired), None) | (None, _) => {}
        }
    }
}

impl OperationReport {
    /// What was spent on the operation so far. What one endpoint's word called expired and minted it all the same, did
    /// cost something.
    #[must_use]
    pub fn spending(&self) -> Spending {
        let minting = self.nft.as_ref().map(|nft| nft.record.signature);
        let mut spending = Spending::default();
        for attempt in &self.attempts {
            spending.count(attempt, minting == Some(attempt.signature));
        }
        spending
    }
}

/// What was spent on one kind of operation on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySpending {
    /// The day, UTC, on which the transactions were signed.
    pub day: NaiveDate,
    /// On which kind of operation.
    pub kind: OperationKind,
    /// What.
    pub spending: Spending,
}

impl Store {
    /// What was spent on transactions that were signed since, by day and kind, oldest first. Reads every attempt since: for
    /// people, not for a loop.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn spending(&self, since: DateTime<Utc>) -> Result<Vec<DaySpending>, StoreError> {
        let rows = self
            .run("spending", || {
                sqlx::query!(
                    r#"WITH attempt AS (
                           SELECT attempt.*, operation.kind, (attempt.signed_at AT TIME ZONE 'UTC')::date AS day,
                                  CASE WHEN nft.signature IS NULL THEN attempt.verdict ELSE 'finalized' END AS ending
                           FROM mint_attempts attempt
                           JOIN minting_operations operation ON operation.id = attempt.operation_id
                           LEFT JOIN nfts nft ON nft.signature = attempt.signature
                           WHERE attempt.signed_at >= $1
                       )
                       SELECT day AS "day!", kind AS "kind!", min(signature) AS "example!",
                              count(*) FILTER (WHERE ending = 'finalized') AS "nfts!",
                              count(*) FILTER (WHERE ending = 'failed-on-chain') AS "failed!",
                              count(*) FILTER (WHERE ending = 'expired') AS "expired!",
                              count(*) FILTER (WHERE ending IS NULL) AS "open!",
                              count(*) FILTER (WHERE ending IN ('finalized', 'failed-on-chain')
                                                 AND base_fee IS NULL) AS "unknown!",
                              coalesce(sum(base_fee) FILTER (WHERE ending <> 'expired'), 0)::bigint AS "base_fee!",
                              coalesce(sum(priority_fee) FILTER (WHERE ending <> 'expired'), 0)::bigint
                                  AS "priority_fee!",
                              coalesce(sum(rent) FILTER (WHERE ending = 'finalized'), 0)::bigint AS "rent!",
                              coalesce(sum(protocol_fee) FILTER (WHERE ending = 'finalized'), 0)::bigint
                                  AS "protocol_fee!",
                              coalesce(sum(base_fee + rent + protocol_fee) FILTER (WHERE ending = 'finalized'), 0)::bigint
                                  AS "floor!"
                       FROM attempt
                       GROUP BY day, kind
                       ORDER BY day, kind"#,
                    since
                )
                .fetch_all(&self.pool)
            })
            .await?;
        let days = rows.into_iter().map(|row| {
            let read = Reader { table: "mint_attempts", row: &row.example };
            let costs = [row.base_fee, row.priority_fee, row.rent, row.protocol_fee].map(Some);
            let kind = OperationKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
            let kind = kind.ok_or_else(|| read.bad("kind", format_args!("unknown kind {:?}", row.kind)))?;
            let spending = Spending {
                nfts: read.count("verdict", row.nfts)?,
                failed: read.count("verdict", row.failed)?,
                expired: read.count("verdict", row.expired)?,
                open: read.count("verdict", row.open)?,
                unknown: read.count("verdict", row.unknown)?,
                spent: cost(&read, costs)?.unwrap_or_default(),
                floor: read.count("floor", row.floor)?,
            };
            Ok(DaySpending { day: row.day, kind, spending })
        });
        days.collect()
    }
}
