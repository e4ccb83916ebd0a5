//! `mintctl dlq show`: one dead letter with all that belongs to it: its record, its operation, and what the chain says.

use anyhow::Result;
use clap::Args;
use comfy_table::Table;
use domain::Operation;
use kafka::KafkaSettings;
use serde_json::{Value, json};
use service::config::ConfigError;
use store::{OperationReport, Store};
use uuid::Uuid;

use super::decode::{self, Decoded, inline, printable};
use super::filter::{FilterArgs, Selection};
use super::letters::{Found, Letters};
use super::ls;
use crate::chain_question::ChainQuestion;
use crate::exit::Exit;
use crate::output::{self, or_dash};
use crate::witnesses::OnChain;
use crate::{status, view};

const EXAMPLES: &str =
    "The chain is asked where SOLANA_RPC_ENDPOINTS is set. Exit code 3 where there is no such letter.

Examples:
  mintctl dlq show 0199a0b0-0000-5000-8000-000000000001
  mintctl dlq show 0199a0b0-0000-5000-8000-000000000001 --json | jq .value";

/// Arguments of `dlq show`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// The letter
    #[arg(value_name = "ID")]
    id: Uuid,

    /// Look in this topic, which need not be one of the fleet's
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
}

/// Shows it.
///
/// # Errors
/// The cluster's trouble, or the database's. Trouble with the chain is shown as such.
pub async fn run(args: &ShowArgs, kafka: &KafkaSettings, store: &Store, json: bool) -> Result<Exit> {
    let filter = FilterArgs { topic: args.topic.clone(), ..FilterArgs::default() };
    let selection = Selection::new(&[args.id], &filter);
    let found = Letters::open(kafka, store, &selection).await?.next().await?;
    let Some(found) = found.and_then(|mut found| found.pop()) else {
        eprintln!("no dead letter {}", args.id);
        return Ok(Exit::NothingMatched);
    };
    let operation = match found.letter().operation {
        Some(id) => store.operation(id).await?,
        None => None,
    };
    let on_chain = match &operation {
        Some(report) => Some(on_chain(&report.operation, store).await?),
        None => None,
    };
    let decoded = decode::decode(found.letter(), &kafka.topic_prefix);
    if json {
        output::json_document(&document(&found, &decoded, operation.as_ref(), on_chain.as_ref()))?;
    } else {
        tell(&found, &decoded, operation.as_ref(), on_chain.as_ref())?;
    }
    Ok(Exit::Ok)
}

async fn on_chain(operation: &Operation, store: &Store) -> Result<OnChain> {
    match ChainQuestion::new(store).ask(operation).await {
        Ok((_, on_chain)) => Ok(on_chain),
        Err(error) => match error.downcast::<ConfigError>() {
            Ok(unset) => Ok(OnChain::Unknown(unset.problems.join("; "))),
            Err(error) => Err(error),
        },
    }
}

fn tell(
    found: &Found,
    decoded: &Decoded,
    operation: Option<&OperationReport>,
    on_chain: Option<&OnChain>,
) -> Result<()> {
    output::text(summary(found, decoded, on_chain))?;
    output::text(format!("\nHeaders\n{}", headers(found)))?;
    output::text(format!("\nValue\n{}", decoded.value.text()))?;
    match (operation, found.letter().operation) {
        (Some(report), _) => {
            output::text("\nOperation")?;
            status::tell(report)
        }
        (None, Some(id)) => output::text(format!("\nNo operation {id}: it was never accepted")),
        (None, None) => Ok(()),
    }
}

fn summary(found: &Found, decoded: &Decoded, on_chain: Option<&OnChain>) -> Table {
    let letter = found.letter();
    let (record, origin) = (&letter.record, &letter.origin);
    let mut table = output::table(["letter", &letter.id.to_string()]);
    let mut row = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    row("lies at", format!("{}/{}/{}", record.topic, record.partition, record.offset));
    row("put aside", or_dash(record.timestamp.map(output::time)));
    let place = [or_dash(origin.topic.as_deref().map(printable)), or_dash(origin.partition), or_dash(origin.offset)];
    row("lay at", place.join("/"));
    row("written", or_dash(origin.timestamp.map(output::time)));
    row("format", letter.format.as_str().to_owned());
    row("class, code", format!("{}, {}", found.caused.cause.class, printable(&found.caused.cause.code)));
    row("message", printable(letter.message.as_deref().unwrap_or_default()));
    row("cause", found.caused.fingerprint.clone());
    row("step", or_dash(letter.step.as_deref().map(printable)));
    row("tries", or_dash(letter.attempts));
    row("first failed", or_dash(letter.first_failed_at.map(output::time)));
    row("replays before", letter.replays.to_string());
    row("key", printable(&inline(record.key.as_deref())));
    row("event", decoded.event.unwrap_or("of a stranger's topic").to_owned());
    if letter.truncated {
        row("truncated", "its value was cut for its size".to_owned());
    }
    if let Some(problem) = &decoded.problem {
        row("is no event", printable(&problem.to_string()));
    }
    if let Some(on_chain) = on_chain {
        row("on chain", on_chain.sentence());
    }
    if let Some(entry) = &found.entry {
        row("done", format!("{} at {}", ls::outcome(entry), output::time(entry.at)));
        row("why", or_dash(entry.reason.as_deref().map(printable)));
    }
    table
}

fn headers(found: &Found) -> Table {
    let mut table = output::table(["header", "value"]);
    for header in &found.letter().record.headers {
        table.add_row([printable(&header.key), inline(header.value.as_deref())]);
    }
    table
}

fn document(
    found: &Found,
    decoded: &Decoded,
    operation: Option<&OperationReport>,
    on_chain: Option<&OnChain>,
) -> Value {
    let record = &found.letter().record;
    let headers: Vec<_> =
        record.headers.iter().map(|header| json!([header.key, inline(header.value.as_deref())])).collect();
    let more = json!({
        "key": record.key.as_deref().map(|key| inline(Some(key))),
        "headers": headers,
        "event": decoded.event,
        "problem": decoded.problem.as_ref().map(ToString::to_string),
        "value": decoded.value.document(),
        "operation": operation.map(status::document),
        "onChain": on_chain.map(OnChain::document),
    });
    view::merged(ls::document(found), more)
}
