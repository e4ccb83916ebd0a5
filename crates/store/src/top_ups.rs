//! Transfers from the treasury to payers, and pauses for want of them. One top-up at a time in the whole fleet: the
//! unique index over what is undecided holds that, whoever writes.

use chrono::{DateTime, Utc};
use domain::{Attempt, MintAddress, Shortage, Signature, TopUp, Verdict, WalletAddress};
use engine::StoreError;

use crate::errors::BadData;
use crate::pool::Store;
use crate::rows::Reader;

/// Whoever adds up the day's transfers and adds one does it alone.
const LOCK: i64 = 0x746f_7075_7073;

/// What came of putting a top-up on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopUpRecorded {
    /// It is there, and may be sent.
    Recorded,
    /// One is undecided: this or another one. Whatever was signed is to be forgotten unsent.
    OneIsOpen,
    /// Another one has landed meanwhile, and what the payer held was read before. To be forgotten unsent, too.
    Overtaken,
    /// It would be more than the treasury may give within 24 hours.
    DayLimitReached,
}

/// A top-up that landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LandedTopUp {
    /// Whose marker it is.
    pub treasury: WalletAddress,
    /// Its marker.
    pub marker: MintAddress,
    /// The slot it landed in: what was read before that slot does not know of it.
    pub slot: u64,
}

/// How the treasury stands, as far as it is on record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreasuryBook {
    /// The top-up whose fate is not known, and since when it is tried to bring money: since the first one within ten
    /// minutes after which none landed.
    pub open: Option<(TopUp, DateTime<Utc>)>,
    /// The last one that landed.
    pub last: Option<LandedTopUp>,
    /// What the treasury gave within 24 hours, lamports.
    pub given: u64,
}

/// A top-up as it is on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUpReport {
    /// The transaction.
    pub signature: Signature,
    /// Who gave.
    pub treasury: WalletAddress,
    /// Who got.
    pub payer: WalletAddress,
    /// How much.
    pub lamports: u64,
    /// When it was put on record.
    pub signed_at: DateTime<Utc>,
    /// How it ended; none while that is open.
    pub verdict: Option<Verdict>,
}

/// A time without funds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseReport {
    /// Whose.
    pub payer: WalletAddress,
    /// Why nobody brought any.
    pub reason: Shortage,
    /// What it had left.
    pub lamports: u64,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When there were funds again.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Puts a signed top-up on record, unless one is undecided, or another one than `last`, which its signer knew of, was
    /// the last to land, or the treasury has given so much within 24 hours that it would be more than `per_day` with this one.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn record_top_up(
        &self,
        top_up: &TopUp,
        last: Option<&MintAddress>,
        per_day: u64,
    ) -> Result<TopUpRecorded, StoreError> {
        let TopUp { treasury, payer, lamports, marker, attempt } = top_up;
        let [signature, treasury, payer, marker] =
            [attempt.signature.to_string(), treasury.to_string(), payer.to_string(), marker.to_string()];
        let [lamports, per_day, height, slot] =
            [*lamports, per_day, attempt.last_valid_block_height, attempt.context_slot].map(number);
        let last = last.map(MintAddress::to_string);
        self.run("record_top_up", || async {
            let mut alone = self.pool.begin().await?;
            // A lock, and then a statement that sees what the one who held it before has written.
            sqlx::query!("SELECT pg_advisory_xact_lock($1)", LOCK).execute(&mut *alone).await?;
            let recorded = sqlx::query!(
                r#"INSERT INTO top_ups (
                       signature, treasury, payer, lamports, marker, wire, blockhash, last_valid_block_height,
                       context_slot, endpoint)
                   SELECT $1::text, $2::text, $3::text, $4::bigint, $5::text, $6::bytea, $7::text, $8::bigint, $9::bigint,
                          $10::text
                   WHERE $4::bigint + (SELECT coalesce(sum(lamports), 0) FROM top_ups
                               WHERE verdict = 'finalized' AND signed_at > now() - interval '24 hours') <= $11::bigint
                     AND $12::text IS NOT DISTINCT FROM (SELECT marker FROM top_ups
                               WHERE verdict = 'finalized' ORDER BY signed_at DESC LIMIT 1)
                   ON CONFLICT DO NOTHING"#,
                signature,
                treasury,
                payer,
                lamports,
                marker,
                attempt.wire,
                attempt.blockhash,
                height,
                slot,
                attempt.endpoint,
                per_day,
                last,
            )
            .execute(&mut *alone)
            .await?;
            let why = sqlx::query!(
                r#"SELECT EXISTS (SELECT FROM top_ups WHERE verdict IS NULL) AS "is_open!",
                          $1::text IS DISTINCT FROM (SELECT marker FROM top_ups
                              WHERE verdict = 'finalized' ORDER BY signed_at DESC LIMIT 1) AS "is_overtaken!""#,
                last,
            )
            .fetch_one(&mut *alone)
            .await?;
            alone.commit().await?;
            Ok(match (recorded.rows_affected(), why.is_open, why.is_overtaken) {
                (0, true, _) => TopUpRecorded::OneIsOpen,
                (0, false, true) => TopUpRecorded::Overtaken,
                (0, false, false) => TopUpRecorded::DayLimitReached,
                (_, _, _) => TopUpRecorded::Recorded,
            })
        })
        .await
    }

    /// Writes down how a top-up ended, and the slot it landed in, if it did. False where that was known already.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn decide_top_up(
        &self,
        signature: &Signature,
        verdict: Verdict,
        slot: Option<u64>,
    ) -> Result<bool, StoreError> {
        let signature = signature.to_string();
        let decided = self
            .run("decide_top_up", || {
                sqlx::query!(
                    "UPDATE top_ups SET verdict = $2, slot = $3, decided_at = now()
                     WHERE signature = $1 AND verdict IS NULL",
                    signature,
                    verdict.as_str(),
                    slot.map(number),
                )
                .execute(&self.pool)
            })
            .await?;
        Ok(decided.rows_affected() > 0)
    }

    /// How the treasury stands.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn treasury_book(&self) -> Result<TreasuryBook, StoreError> {
        let open = self
            .run("open_top_up", || {
                sqlx::query!(
                    r#"SELECT signature, treasury, payer, lamports, marker, wire, blockhash, last_valid_block_height,
                              context_slot, endpoint,
                              coalesce(
                                  (SELECT min(signed_at) FROM top_ups
                                   WHERE signed_at > greatest(
                                       open.signed_at - interval '10 minutes',
                                       (SELECT max(signed_at) FROM top_ups WHERE verdict = 'finalized'))),
                                  signed_at) AS "since!"
                       FROM top_ups open WHERE verdict IS NULL"#
                )
                .fetch_optional(&self.pool)
            })
            .await?;
        let open = open.map(|row| {
            let read = Reader { table: "top_ups", row: &row.signature };
            let treasury = read.parse("treasury", &row.treasury)?;
            let attempt = Attempt {
                signature: read.parse("signature", &row.signature)?,
                wire: row.wire,
                payer: Some(treasury),
                blockhash: row.blockhash,
                last_valid_block_height: read.count("last_valid_block_height", row.last_valid_block_height)?,
                context_slot: read.count("context_slot", row.context_slot)?,
                compute_unit_price: 0,
                endpoint: row.endpoint,
                cost: None,
            };
            let top_up = TopUp {
                treasury,
                payer: read.parse("payer", &row.payer)?,
                lamports: read.count("lamports", row.lamports)?,
                marker: read.parse("marker", &row.marker)?,
                attempt,
            };
            Ok::<_, BadData>((top_up, row.since))
        });
        let landed = self
            .run("landed_top_ups", || {
                sqlx::query!(
                    r#"SELECT signature, treasury, marker, slot AS "slot!",
                              (SELECT coalesce(sum(lamports), 0)::bigint FROM top_ups
                               WHERE verdict = 'finalized' AND signed_at > now() - interval '24 hours') AS "given!"
                       FROM top_ups WHERE verdict = 'finalized' ORDER BY signed_at DESC LIMIT 1"#
                )
                .fetch_optional(&self.pool)
            })
            .await?;
        let mut book = TreasuryBook { open: open.transpose()?, ..TreasuryBook::default() };
        if let Some(row) = landed {
            let read = Reader { table: "top_ups", row: &row.signature };
            book.last = Some(LandedTopUp {
                treasury: read.parse("treasury", &row.treasury)?,
                marker: read.parse("marker", &row.marker)?,
                slot: read.count("slot", row.slot)?,
            });
            book.given = read.count("lamports", row.given)?;
        }
        Ok(book)
    }

    /// Writes down that a payer pauses. False where it is on record already, from whatever process: so that of all of
    /// them one tells.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn payer_pauses(
        &self,
        payer: &WalletAddress,
        reason: Shortage,
        lamports: u64,
    ) -> Result<bool, StoreError> {
        let payer = payer.to_string();
        let begun = self
            .run("payer_pauses", || {
                sqlx::query!(
                    "INSERT INTO payer_pauses (payer, reason, lamports) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    payer,
                    reason.as_str(),
                    number(lamports),
                )
                .execute(&self.pool)
            })
            .await?;
        Ok(begun.rows_affected() > 0)
    }

    /// Writes down that a payer has funds again. False where it was not known to pause.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn payer_resumes(&self, payer: &WalletAddress) -> Result<bool, StoreError> {
        let payer = payer.to_string();
        let ended = self
            .run("payer_resumes", || {
                sqlx::query!("UPDATE payer_pauses SET ended_at = now() WHERE payer = $1 AND ended_at IS NULL", payer)
                    .execute(&self.pool)
            })
            .await?;
        Ok(ended.rows_affected() > 0)
    }

    /// Every top-up that was signed since, oldest first.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn top_ups(&self, since: DateTime<Utc>) -> Result<Vec<TopUpReport>, StoreError> {
        let rows = self
            .run("top_ups", || {
                sqlx::query!(
                    "SELECT signature, treasury, payer, lamports, signed_at, verdict
                     FROM top_ups WHERE signed_at >= $1 ORDER BY signed_at",
                    since
                )
                .fetch_all(&self.pool)
            })
            .await?;
        let reports = rows.into_iter().map(|row| {
            let read = Reader { table: "top_ups", row: &row.signature };
            Ok(TopUpReport {
                signature: read.parse("signature", &row.signature)?,
                treasury: read.parse("treasury", &row.treasury)?,
                payer: read.parse("payer", &row.payer)?,
                lamports: read.count("lamports", row.lamports)?,
                signed_at: row.signed_at,
                verdict: read.verdict(row.verdict.as_deref())?,
            })
        });
        reports.collect()
    }

    /// Every pause that had not ended by then, oldest first.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn pauses(&self, since: DateTime<Utc>) -> Result<Vec<PauseReport>, StoreError> {
        let rows = self
            .run("pauses", || {
                sqlx::query!(
                    "SELECT payer, reason, lamports, began_at, ended_at
                     FROM payer_pauses WHERE ended_at IS NULL OR ended_at >= $1 ORDER BY began_at",
                    since
                )
                .fetch_all(&self.pool)
            })
            .await?;
        let reports = rows.into_iter().map(|row| {
            let read = Reader { table: "payer_pauses", row: &row.payer };
            let reason = Shortage::ALL.into_iter().find(|reason| reason.as_str() == row.reason);
            Ok(PauseReport {
                payer: read.parse("payer", &row.payer)?,
                reason: reason.ok_or_else(|| read.bad("reason", format_args!("unknown reason {:?}", row.reason)))?,
                lamports: read.count("lamports", row.lamports)?,
                began_at: row.began_at,
                ended_at: row.ended_at,
            })
        });
        reports.collect()
    }
}

/// What is more than PostgreSQL can hold is more than there are lamports.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
