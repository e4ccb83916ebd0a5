//! `mintctl dlq ls`: dead letters, newest first, or what puts them aside.

use std::cmp::Reverse;

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Args;
use kafka::KafkaSettings;
use serde_json::{Value, json};
use store::{LedgerEntry, Store};

use super::decode::printable;
use super::filter::{FilterArgs, Selection};
use super::fingerprint::Cause;
use super::groups::Groups;
use super::letters::{Found, Letters};
use crate::exit::Exit;
use crate::output::{self, or_dash};

const EXAMPLES: &str = "Letters that were replayed or discarded are left out unless --all is given. Exit code 3 where
nothing is found.

Examples:
  mintctl dlq ls --group
  mintctl dlq ls --topic nft-operations --class permanent --since 24h
  mintctl dlq ls --all --json | jq -r '.[] | select(.outcome == \"discarded\").id'";

/// Longest message in a table.
const SENTENCE: usize = 120;

/// Arguments of `dlq ls`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LsArgs {
    #[command(flatten)]
    filter: FilterArgs,

    /// Show causes instead of letters: topic, class, code and message without numbers, ids and addresses
    #[arg(long)]
    group: bool,

    /// Those too that were replayed or discarded
    #[arg(long)]
    all: bool,

    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

/// Lists them.
///
/// # Errors
/// The cluster's trouble, or the database's.
pub async fn run(args: &LsArgs, kafka: &KafkaSettings, store: &Store, json: bool) -> Result<Exit> {
    let selection = Selection::new(&[], &args.filter);
    let mut letters = Letters::open(kafka, store, &selection).await?;
    let (mut rows, mut groups) = (Newest::new(args.limit as usize), Groups::default());
    while let Some(batch) = letters.next().await? {
        for found in batch.iter().filter(|found| args.all || found.is_open()) {
            if args.group {
                groups.count(found);
            } else {
                rows.push(Row::of(found));
            }
        }
    }
    let shown = if args.group { groups.show(json)? } else { rows.show(json)? };
    if shown {
        return Ok(Exit::Ok);
    }
    eprintln!("no dead letters{}", if args.filter.is_empty() { "" } else { " that pass the filter" });
    Ok(Exit::NothingMatched)
}

/// What is shown of one letter. Its record is not kept: there may be many.
struct Row {
    at: Option<DateTime<Utc>>,
    cells: [String; 5],
    outcome: Option<String>,
    document: Value,
}

impl Row {
    fn of(found: &Found) -> Self {
        let letter = found.letter();
        let Cause { topic, code, .. } = &found.caused.cause;
        let message = letter.message.as_deref().unwrap_or_default();
        Self {
            at: letter.record.timestamp,
            cells: [
                letter.id.to_string(),
                printable(topic),
                printable(code),
                sentence(message),
                or_dash(letter.operation),
            ],
            outcome: found.entry.as_ref().map(outcome),
            document: document(found),
        }
    }
}

/// What was done about a letter.
#[must_use]
pub fn outcome(entry: &LedgerEntry) -> String {
    let done = match (entry.outcome, entry.abandoned) {
        (Some(outcome), _) => outcome.as_str(),
        (None, true) => "begun and left",
        (None, false) => "in hand",
    };
    format!("{done} by {}", printable(&entry.by))
}

/// A letter for machines, without its record.
#[must_use]
pub fn document(found: &Found) -> Value {
    let letter = found.letter();
    let origin = &letter.origin;
    json!({
        "id": letter.id, "fingerprint": found.caused.fingerprint, "format": letter.format.as_str(),
        "topic": letter.record.topic, "partition": letter.record.partition, "offset": letter.record.offset,
        "at": letter.record.timestamp,
        "origin": {
            "topic": origin.topic, "partition": origin.partition, "offset": origin.offset, "at": origin.timestamp,
        },
        "class": letter.class, "code": letter.code, "message": letter.message, "step": letter.step,
        "attempts": letter.attempts, "firstFailedAt": letter.first_failed_at, "operationId": letter.operation,
        "replays": letter.replays, "truncated": letter.truncated,
        "outcome": found.entry.as_ref().and_then(|entry| entry.outcome), "ledger": found.entry,
    })
}

/// A stranger's message on one line.
#[must_use]
pub fn sentence(message: &str) -> String {
    let line = printable(message).replace(['\n', '\t'], " ");
    let short = &line[..line.floor_char_boundary(SENTENCE)];
    if short.len() == line.len() { line } else { format!("{short}…") }
}

/// The newest of any number of rows.
struct Newest {
    rows: Vec<Row>,
    limit: usize,
    all: usize,
}

impl Newest {
    const fn new(limit: usize) -> Self {
        Self { rows: Vec::new(), limit, all: 0 }
    }

    fn push(&mut self, row: Row) {
        self.all += 1;
        self.rows.push(row);
        if self.rows.len() >= 2 * self.limit {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.rows.sort_by_key(|row| Reverse(row.at));
        self.rows.truncate(self.limit);
    }

    fn show(mut self, json: bool) -> Result<bool> {
        self.cut();
        if json {
            output::json_document(&self.rows.iter().map(|row| &row.document).collect::<Vec<_>>())?;
        } else if !self.rows.is_empty() {
            let mut table = output::table(["letter", "from", "code", "message", "operation", "put aside", "done"]);
            for row in &self.rows {
                let more = [or_dash(row.at.map(output::time)), or_dash(row.outcome.as_ref())];
                table.add_row(row.cells.iter().chain(&more));
            }
            output::text(table)?;
        }
        if self.all > self.rows.len() {
            eprintln!("{} of {}: --limit", self.rows.len(), self.all);
        }
        Ok(!self.rows.is_empty())
    }
}
