//! `mintctl watch`: follows operations until they have ended. It asks the database, for the row is the truth: an event
//! may be late, and one between two states may be missing.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use domain::{Operation, OperationId, State, StatusChanged};
use engine::{OperationStore, StoreError};
use store::{ListFilter, Store};
use tokio::time::Instant;

use crate::exit::Exit;
use crate::output;
use crate::span::parse_span;
use crate::view;

/// How often the database is asked.
const EVERY: Duration = Duration::from_millis(500);
/// How many of the newest are followed where none is named.
const NEWEST: u32 = 500;

const EXAMPLES: &str = "Ends when every named operation is VERIFIED, FAILED or ROLLED_BACK; exit code 1 if one is not
VERIFIED. Without an id it follows the 500 newest operations and does not end by itself. An event
that was refused never becomes an operation: it lies in nft-operations.dlq, so give a --timeout
where that may happen.

Examples:
  mintctl watch 0199a0b0-0000-7000-8000-000000000001
  mintctl submit --file drop.jsonl | xargs mintctl watch --timeout 10m
  mintctl watch --json";

/// Arguments of `watch`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct WatchArgs {
    /// The operations; the newest where none is named
    #[arg(value_name = "ID")]
    pub ids: Vec<OperationId>,

    /// Give up after this time: 90s, 10m, 1h
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    pub timeout: Option<Duration>,
}

/// Follows them.
///
/// # Errors
/// A database that refuses; one that is away for a moment is waited for. Time that is up.
pub async fn run(args: &WatchArgs, store: &Store, json: bool) -> Result<Exit> {
    let started = Instant::now();
    let mut watch = Watch::new(&args.ids, json);
    loop {
        match watch.look(store).await {
            Ok(operations) => watch.tell(&operations)?,
            Err(StoreError::Unavailable(failure)) => watch.complain(&failure.to_string()),
            Err(error @ StoreError::Row { .. }) => return Err(error.into()),
        }
        if let Some(exit) = watch.verdict() {
            return Ok(exit);
        }
        if args.timeout.is_some_and(|timeout| started.elapsed() >= timeout) {
            bail!("time is up: {}", watch.open());
        }
        tokio::time::sleep(EVERY).await;
    }
}

struct Watch {
    named: BTreeSet<OperationId>,
    seen: HashMap<OperationId, (i64, State)>,
    json: bool,
    first: bool,
    complaint: Option<String>,
}

impl Watch {
    fn new(ids: &[OperationId], json: bool) -> Self {
        Self { named: ids.iter().copied().collect(), seen: HashMap::new(), json, first: true, complaint: None }
    }

    async fn look(&self, store: &Store) -> Result<Vec<Operation>, StoreError> {
        if self.named.is_empty() {
            let newest = store.list(&ListFilter { limit: NEWEST, ..ListFilter::default() }).await?;
            return Ok(newest.into_iter().flatten().map(|summary| summary.operation).rev().collect());
        }
        let ended = |id: &OperationId| self.seen.get(id).is_some_and(|(_, state)| state.step().is_none());
        let open: Vec<_> = self.named.iter().copied().filter(|id| !ended(id)).collect();
        let snapshot = store.load(&open).await?;
        let mut operations = Vec::new();
        for (_, operation) in snapshot.operations {
            match operation {
                Ok(operation) => operations.push(operation),
                Err(failure) => return Err(StoreError::Row { sqlstate: String::new(), message: failure.message }),
            }
        }
        operations.sort_by_key(|operation| operation.updated_at);
        Ok(operations)
    }

    fn tell(&mut self, operations: &[Operation]) -> Result<()> {
        // Where none is named, news is what happens from now on.
        let silent = self.first && self.named.is_empty();
        self.first = false;
        self.complaint = None;
        for operation in operations {
            let now = (operation.version, operation.state);
            if self.seen.insert(operation.id, now) == Some(now) || silent {
                continue;
            }
            if self.json {
                output::json_line(&StatusChanged::from(operation))?;
            } else {
                output::text(line(operation))?;
            }
        }
        Ok(())
    }

    /// The same complaint is made once.
    fn complain(&mut self, reason: &str) {
        if self.complaint.as_deref() != Some(reason) {
            eprintln!("waiting for the database: {reason}");
            self.complaint = Some(reason.to_owned());
        }
    }

    fn verdict(&self) -> Option<Exit> {
        if self.named.is_empty() {
            return None;
        }
        let states: Vec<_> = self.named.iter().map(|id| self.seen.get(id).map(|(_, state)| *state)).collect();
        if states.iter().any(|state| state.is_none_or(|state| state.step().is_some())) {
            return None;
        }
        let verified = states.iter().all(|state| *state == Some(State::Verified));
        Some(if verified { Exit::Ok } else { Exit::Failed })
    }

    fn open(&self) -> String {
        let unknown = self.named.iter().filter(|id| !self.seen.contains_key(id)).count();
        let open = self.named.iter().filter(|id| self.seen.get(id).is_some_and(|(_, state)| state.step().is_some()));
        format!("{} in work, {unknown} not known to the fleet", open.count())
    }
}

fn line(operation: &Operation) -> String {
    let mint = operation.mint_address.filter(|_| operation.state == State::Verified);
    let more = mint.map(|mint| format!("mint {mint}")).into_iter().chain(view::trouble(operation));
    let first = [output::time(operation.updated_at), operation.id.to_string(), operation.state.to_string()];
    first.into_iter().chain(more).collect::<Vec<_>>().join("  ")
}
