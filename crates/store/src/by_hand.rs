//! What a person decides about one operation. Whether it may be is asked before; here it is guarded and written down.

use domain::{Operation, RetryTerms};
use engine::{Commit, Committed, StoreError};
use sqlx::types::Json;

use crate::commit;
use crate::commit_row::printable;
use crate::ledger::Decision;
use crate::pool::Store;

impl Store {
    /// Commits a transition as a step's is committed, with the same guards, and with who decided it and why in its history
    /// row. It takes the operation off the list of what waits for a person, and its events are owed.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] for what its triggers refuse.
    pub async fn decide(&self, commit: &Commit, decision: &Decision) -> Result<Committed, StoreError> {
        commit::decide(self, commit, decision).await
    }

    /// Makes the next try of an operation that is under way due at once, and its first: its request is owed. False where
    /// it has moved or ended since.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn try_at_once(
        &self,
        operation: &Operation,
        terms: &RetryTerms,
        decision: &Decision,
    ) -> Result<bool, StoreError> {
        let reason = decision.reason.as_deref().map(printable);
        let done = self
            .run("try_at_once", || {
                sqlx::query!(
                    r#"WITH hastened AS (
                           UPDATE minting_operations SET
                               next_attempt_at = NULL, claimed_until = NULL, attempts = 0, wakes = 0,
                               needs_review = NULL, retry_terms = nullif($3::jsonb, '{}'), status_owed = true
                           WHERE id = $1 AND version = $2 AND state NOT IN ('VERIFIED', 'FAILED', 'ROLLED_BACK')
                           RETURNING id, version, state, retry_terms
                       )
                       INSERT INTO operation_events (operation_id, kind, version, from_state, detail)
                       SELECT id, 'retried', version, state,
                              jsonb_strip_nulls(jsonb_build_object(
                                  'by', $4::text, 'reason', $5::text, 'terms', retry_terms))
                       FROM hastened"#,
                    operation.id.as_uuid(),
                    operation.version,
                    Json(terms) as _,
                    &*printable(&decision.by),
                    reason.as_deref(),
                )
                .execute(&self.pool)
            })
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
