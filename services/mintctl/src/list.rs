//! `mintctl list`: operations that pass a filter, newest first.

use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use domain::{Clock, State, SystemClock, WalletAddress};
use serde_json::json;
use store::{BadData, ListFilter, OperationSummary, Store};

use crate::exit::Exit;
use crate::output::{self, or_dash};
use crate::span::{Since, parse_since};
use crate::submit::Kind;
use crate::view;

const EXAMPLES: &str = "Exit code 3 where nothing passes the filter.

Examples:
  mintctl list --needs-review
  mintctl list --state failed --since 24h
  mintctl list --wallet 7xKX… --limit 500 --json";

/// The names of the states as they are typed.
const STATES: [(&str, State); 9] = [
    ("initiated", State::Initiated),
    ("image-uploaded", State::ImageUploaded),
    ("ipfs-uploaded", State::IpfsUploaded),
    ("blockchain-submitted", State::BlockchainSubmitted),
    ("blockchain-confirmed", State::BlockchainConfirmed),
    ("database-updated", State::DatabaseUpdated),
    ("verified", State::Verified),
    ("failed", State::Failed),
    ("rolled-back", State::RolledBack),
];

/// Arguments of `list`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {
    /// In this state only
    #[arg(long, value_parser = states(), ignore_case = true)]
    pub state: Option<State>,

    /// Of this type only
    #[arg(long = "kind", visible_alias = "type", value_enum)]
    pub kind: Option<Kind>,

    /// For this wallet only
    #[arg(long, value_name = "ADDRESS")]
    pub wallet: Option<WalletAddress>,

    /// Only those that a person should look at
    #[arg(long)]
    pub needs_review: bool,

    /// Only those that came in since: 30m, 24h, 7d ago, or a time such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub since: Option<Since>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
}

/// Reads a state by the name it is typed with, or by its own.
pub fn states() -> impl TypedValueParser<Value = State> {
    let names = STATES.map(|(name, state)| PossibleValue::new(name).alias(state.as_str()));
    PossibleValuesParser::new(names).try_map(|typed| {
        let typed = typed.replace('_', "-");
        let known = STATES.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(&typed));
        known.map(|(_, state)| state).ok_or("no such state")
    })
}

/// Lists them.
///
/// # Errors
/// The database's trouble.
pub async fn run(args: &ListArgs, store: &Store, json: bool) -> Result<Exit> {
    let filter = ListFilter {
        state: args.state,
        kind: args.kind.map(Into::into),
        wallet: args.wallet,
        needs_review: args.needs_review,
        since: args.since.map(|since| since.seen_from(SystemClock.now())),
        limit: args.limit,
    };
    let found = store.list(&filter).await?;
    if json {
        output::json_document(&found.iter().map(document).collect::<Vec<_>>())?;
    } else if !found.is_empty() {
        output::text(table(&found))?;
    }
    if found.len() == args.limit as usize {
        eprintln!("there may be more than {}: --limit", args.limit);
    }
    let unreadable: Vec<_> = found.iter().filter_map(|found| found.as_ref().err()).collect();
    for bad in &unreadable {
        eprintln!("cannot be read: {bad}");
    }
    Ok(match (found.is_empty(), unreadable.is_empty()) {
        (true, _) => Exit::NothingMatched,
        (false, true) => Exit::Ok,
        (false, false) => Exit::Failed,
    })
}

type Found = Result<OperationSummary, BadData>;

fn table(found: &[Found]) -> comfy_table::Table {
    let mut table = output::table(["operation", "state", "nft", "wallet", "mint", "came in", "trouble"]);
    for OperationSummary { operation, milestones } in found.iter().flatten() {
        table.add_row([
            operation.id.to_string(),
            operation.state.to_string(),
            operation.content.nft.name.clone(),
            operation.content.wallet_address.to_string(),
            or_dash(operation.mint_address),
            output::time(milestones.initiated),
            or_dash(view::trouble(operation)),
        ]);
    }
    table
}

fn document(found: &Found) -> serde_json::Value {
    match found {
        Ok(OperationSummary { operation, milestones }) => {
            view::merged(view::operation(operation), json!({ "milestones": milestones }))
        }
        Err(bad) => json!({ "unreadable": bad.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_can_be_asked_for() {
        assert_eq!(STATES.map(|(_, state)| state), State::ALL);
        for (name, state) in STATES {
            assert_eq!(name.replace('-', "_").to_uppercase(), state.as_str());
        }
    }
}
