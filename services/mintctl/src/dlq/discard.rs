//! `mintctl dlq discard`: nothing is to be done about these. Their records stay where they are.

use anyhow::Result;
use clap::Args;
use kafka::KafkaSettings;
use serde_json::json;
use store::{LetterOutcome, Store};
use uuid::Uuid;

use super::filter::{FilterArgs, Selection};
use super::letters::{Found, Letters};
use crate::exit::{Exit, Usage};
use crate::output;
use crate::person::{PersonArgs, given};

const EXAMPLES: &str =
    "The ledger keeps who discarded what and why; the records stay in their topics until these forget
them. Letters that were replayed are left alone. Exit code 3 where nothing is found.

Examples:
  mintctl dlq discard 0199a0b0-0000-5000-8000-000000000001 --reason 'a test of the API team'
  mintctl dlq discard --fingerprint 3f2a9c --since 24h --reason 'sent again by the API, ticket 4711'";

/// Arguments of `dlq discard`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DiscardArgs {
    /// The letters; those that pass the filter where none is named
    #[arg(value_name = "ID")]
    ids: Vec<Uuid>,

    #[command(flatten)]
    filter: FilterArgs,

    /// Why, for the ledger
    #[arg(long)]
    reason: String,

    #[command(flatten)]
    person: PersonArgs,
}

/// Discards them.
///
/// # Errors
/// [`Usage`] where nothing is named or the reason is empty; the cluster's trouble, or the database's.
pub async fn run(args: &DiscardArgs, kafka: &KafkaSettings, store: &Store, json: bool) -> Result<Exit> {
    if args.ids.is_empty() && args.filter.is_empty() {
        return Err(Usage("name the letters, or filter them".into()).into());
    }
    let decision = args.person.decides(Some(given(&args.reason)?))?;
    let selection = Selection::new(&args.ids, &args.filter);
    let mut letters = Letters::open(kafka, store, &selection).await?;
    let mut discarded = 0;
    while let Some(batch) = letters.next().await? {
        let open: Vec<_> = batch.iter().filter(|found| found.is_open()).map(Found::for_ledger).collect();
        for id in store.note_letters(&open, LetterOutcome::Discarded, &decision).await? {
            discarded += 1;
            if json {
                output::json_line(&json!({ "id": id, "outcome": LetterOutcome::Discarded }))?;
            } else {
                output::text(id)?;
            }
        }
    }
    if discarded == 0 {
        eprintln!("nothing matches that is still open");
        return Ok(Exit::NothingMatched);
    }
    if !json {
        eprintln!("{discarded} discarded");
    }
    Ok(Exit::Ok)
}
