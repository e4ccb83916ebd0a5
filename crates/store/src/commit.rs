//! Committing transitions: a whole batch with its history, attempts, verdicts and records in one statement.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use engine::{Commit, Committed, StoreError};
use sqlx::types::Json;

use crate::commit_row::CommitRow;
use crate::ledger::Decision;
use crate::pool::Store;

/// What the statement says of one row of its input.
struct Outcome {
    ordinal: i32,
    /// The operation stood where the step saw it.
    matched: bool,
    /// Every content that the transition stores is pinned.
    held: bool,
    /// When it was committed.
    at: Option<DateTime<Utc>>,
}

impl From<&Outcome> for Committed {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome { at: Some(at), .. } => Self::At(*at),
            Outcome { matched: true, held: false, .. } => Self::NotPinned,
            Outcome { .. } => Self::Overtaken,
        }
    }
}

/// Commits a batch. Of two transitions of one operation the first is tried: the other one was decided on a row that the
/// first may have moved, so it is overtaken.
pub(crate) async fn commit(store: &Store, batch: &[Commit]) -> Result<Vec<Committed>, StoreError> {
    let mut seen = HashSet::with_capacity(batch.len());
    let firsts = batch.iter().enumerate().filter(|(_, commit)| seen.insert(commit.operation.id));
    let rows: Vec<CommitRow<'_>> = firsts.map(|(ordinal, commit)| CommitRow::new(ordinal, commit)).collect();
    let outcomes = send(store, &rows).await?;
    let mut committed = vec![Committed::Overtaken; batch.len()];
    for outcome in &outcomes {
        if let Some(answer) = usize::try_from(outcome.ordinal).ok().and_then(|ordinal| committed.get_mut(ordinal)) {
            *answer = outcome.into();
        }
    }
    Ok(committed)
}

/// Commits one transition that a person decided on.
pub(crate) async fn decide(store: &Store, commit: &Commit, decision: &Decision) -> Result<Committed, StoreError> {
    let outcomes = send(store, &[CommitRow::new(0, commit).decided_by(decision)]).await?;
    Ok(outcomes.first().map_or(Committed::Overtaken, Committed::from))
}

async fn send(store: &Store, rows: &[CommitRow<'_>]) -> Result<Vec<Outcome>, StoreError> {
    store
        .run("commit", || sqlx::query_file_as!(Outcome, "src/commit.sql", Json(rows) as _).fetch_all(&store.pool))
        .await
}
