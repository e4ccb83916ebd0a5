//! What is left of operations that failed for good: their contents are unpinned, unless somebody else uses them.

use std::time::Duration;

use domain::{Cid, OperationId};
use engine::StoreError;
use sqlx::PgPool;

use crate::errors::BadData;
use crate::pool::Store;
use crate::rows::Reader;

/// How the reason begins for which an operation that cannot be rolled back is put in front of a person.
pub const NOT_UNPINNED: &str = "not unpinned: ";
/// How long one process has a rollback to itself. Where it cannot be done, it comes round again then.
const ROLLBACK_LEASE: &str = "10 minutes";
/// How long what is called overdue has been due.
const OVERDUE_SECONDS: f64 = 3_600.0;

/// A failed operation that is to be rolled back. Nothing that was signed for it can mint any more: it would not have
/// failed otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// Whose.
    pub operation: OperationId,
    /// Its version.
    pub version: i64,
    /// What it had pinned.
    pub contents: Vec<Cid>,
    /// It should have been rolled back an hour ago.
    pub is_overdue: bool,
}

/// Who is to unpin a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpin {
    /// The caller, for five minutes, at these providers; until then nobody pins it.
    At(Vec<String>),
    /// Nobody: an operation refers to it that has not ended without an NFT.
    InUse,
    /// Somebody pins or unpins it at this moment.
    Busy,
}

impl Store {
    /// Claims at most `most` operations that failed longer ago than `after` and still hold content. Those that owe a
    /// status are left alone until it is told, and those that wait for a person, but for what could not be unpinned.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn claim_rollbacks(&self, after: Duration, most: u16) -> Result<Vec<Rollback>, StoreError> {
        let rows = self
            .run("claim_rollbacks", || {
                sqlx::query!(
                    r#"WITH due AS MATERIALIZED (
                           SELECT id FROM minting_operations operation
                           WHERE state = 'FAILED' AND num_nonnulls(image_cid, metadata_cid) > 0
                             AND failed_at < now() - make_interval(secs => $1)
                             AND NOT status_owed AND (claimed_until IS NULL OR claimed_until <= now())
                             AND (needs_review IS NULL OR starts_with(needs_review, $5))
                             AND NOT EXISTS (
                                 SELECT FROM mint_attempts attempt
                                 WHERE attempt.operation_id = operation.id
                                   AND (attempt.verdict IS NULL OR attempt.verdict = 'finalized'))
                           ORDER BY failed_at
                           LIMIT $2
                           FOR UPDATE SKIP LOCKED
                       )
                       UPDATE minting_operations operation SET claimed_until = now() + $4::text::interval
                       FROM due WHERE operation.id = due.id
                       RETURNING operation.id, operation.version, operation.image_cid, operation.metadata_cid,
                                 operation.failed_at < now() - make_interval(secs => $1 + $3) AS "is_overdue!""#,
                    after.as_secs_f64(),
                    i64::from(most),
                    OVERDUE_SECONDS,
                    ROLLBACK_LEASE,
                    NOT_UNPINNED,
                )
                .fetch_all(&self.pool)
            })
            .await?;
        let read = |row: &_, cid: Option<String>| -> Result<Option<Cid>, BadData> {
            Reader { table: "minting_operations", row }.parse_some("image_cid, metadata_cid", cid.as_deref())
        };
        let rollbacks = rows.into_iter().map(|row| {
            let (image, metadata) = (read(&row.id, row.image_cid)?, read(&row.id, row.metadata_cid)?);
            Ok(Rollback {
                operation: OperationId::from_uuid(row.id),
                version: row.version,
                contents: image.into_iter().chain(metadata).collect(),
                is_overdue: row.is_overdue,
            })
        });
        rollbacks.collect()
    }

    /// Takes a content away from whoever wants to store it, unless it is in use. The rows are locked first, and the
    /// second statement of that transaction asks who refers to them: whoever stores the content takes the same rows for
    /// that, so one of the two comes first and the other sees it.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn begin_unpin(&self, cid: &Cid) -> Result<Unpin, StoreError> {
        self.run("begin_unpin", || begin_unpin(&self.pool, cid)).await
    }

    /// Records what became of an unpin. Where it is not known whether the provider still holds the content, the request may
    /// be carried out yet: whoever wants the content may pin it again once its time is over, and the next rollback unpins it
    /// again.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn unpin_ended(&self, cid: &Cid, provider: &str, is_gone: bool) -> Result<(), StoreError> {
        self.run("unpin_ended", || {
            sqlx::query!(
                "UPDATE pinned_content SET
                     state = CASE WHEN $3 THEN 'unpinned' ELSE 'pending' END,
                     claimed_until = CASE WHEN NOT $3 THEN claimed_until END,
                     pinned_at = NULL
                 WHERE cid = $1 AND provider = $2 AND state = 'unpinning'",
                cid.as_str(),
                provider,
                is_gone,
            )
            .execute(&self.pool)
        })
        .await?;
        Ok(())
    }

    /// Moves the operation to `ROLLED_BACK` and owes its status. False where somebody has moved it since.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn roll_back(&self, rollback: &Rollback, kept: &[Cid]) -> Result<bool, StoreError> {
        let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
        let done = self
            .run("roll_back", || {
                sqlx::query!(
                    r#"WITH rolled_back AS (
                           UPDATE minting_operations SET
                               state = 'ROLLED_BACK', previous_state = state, version = version + 1,
                               rolled_back_at = now(), updated_at = now(), claimed_until = NULL, status_owed = true,
                               needs_review = CASE WHEN needs_review NOT LIKE $4 THEN needs_review END
                           WHERE id = $1 AND version = $2 AND state = 'FAILED'
                           RETURNING id, version, previous_state, state
                       )
                       INSERT INTO operation_events (operation_id, kind, version, from_state, to_state, detail)
                       SELECT id, 'transition', version, previous_state, state,
                              jsonb_build_object('contentInUseElsewhere', to_jsonb($3::text[]))
                       FROM rolled_back"#,
                    rollback.operation.as_uuid(),
                    rollback.version,
                    &kept,
                    format!("{NOT_UNPINNED}%"),
                )
                .execute(&self.pool)
            })
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

async fn begin_unpin(pool: &PgPool, cid: &Cid) -> Result<Unpin, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let rows = sqlx::query!(
        r#"SELECT provider, state IN ('pending', 'unpinning') AND claimed_until > now() AS "is_busy?"
           FROM pinned_content WHERE cid = $1
           ORDER BY cid, provider
           FOR UPDATE"#,
        cid.as_str(),
    )
    .fetch_all(&mut *transaction)
    .await?;
    if rows.iter().any(|row| row.is_busy == Some(true)) {
        return Ok(Unpin::Busy);
    }
    let locked: Vec<String> = rows.into_iter().map(|row| row.provider).collect();
    let in_use = sqlx::query_scalar!(
        r#"SELECT EXISTS (
                      SELECT FROM minting_operations
                      WHERE image_cid = $1 AND state NOT IN ('FAILED', 'ROLLED_BACK'))
                  OR EXISTS (
                      SELECT FROM minting_operations
                      WHERE metadata_cid = $1 AND state NOT IN ('FAILED', 'ROLLED_BACK')) AS "in_use!""#,
        cid.as_str(),
    )
    .fetch_one(&mut *transaction)
    .await?;
    if in_use {
        return Ok(Unpin::InUse);
    }
    let providers = sqlx::query_scalar!(
        "UPDATE pinned_content
         SET state = 'unpinning', claimed_until = now() + interval '5 minutes', unpinned_at = clock_timestamp()
         WHERE cid = $1 AND provider = ANY ($2) AND state <> 'unpinned'
         RETURNING provider",
        cid.as_str(),
        &locked,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Unpin::At(providers))
}
