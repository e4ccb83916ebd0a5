//! `mintctl status ID`: all about one operation.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Args;
use comfy_table::Table;
use domain::{MintCost, OperationId, Verdict};
use serde_json::{Value, json};
use store::{AttemptReport, HistoryEntry, OperationReport, Store};

use crate::exit::Exit;
use crate::output::{self, or_dash};
use crate::{next, view};

const EXAMPLES: &str = "Exit code of the fleet: 1 where a worker takes no work or something that it needs is down.

Examples:
  mintctl status
  mintctl status --json | jq '.[].dependencies[] | select(.state != \"healthy\")'
  mintctl status 0199a0b0-0000-7000-8000-000000000001
  mintctl status 0199a0b0-0000-7000-8000-000000000001 --json | jq .attemptsOnChain";

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    /// The operation; without one, the fleet is shown: each worker, dependency and endpoint
    #[arg(value_name = "ID")]
    pub id: Option<OperationId>,
}

/// Shows it.
///
/// # Errors
/// The database's trouble.
pub async fn run(id: OperationId, store: &Store, json: bool) -> Result<Exit> {
    let Some(report) = store.operation(id).await? else {
        eprintln!("no operation {id}");
        return Ok(Exit::NothingMatched);
    };
    if json {
        output::json_document(&document(&report))?;
    } else {
        tell(&report)?;
    }
    Ok(Exit::Ok)
}

/// All about an operation, for people.
///
/// # Errors
/// A closed stdout.
pub fn tell(report: &OperationReport) -> Result<()> {
    let operation = &report.operation;
    output::text(summary(report))?;
    output::text(format!("\nNext: {}", next::of(operation)))?;
    output::text(format!("\nMilestones\n{}", milestones(report)))?;
    if !report.attempts.is_empty() {
        output::text(format!("\nAttempts\n{}", attempts(&report.attempts)))?;
    }
    output::text(format!("\nHistory\n{}", history(&report.history)))
}

fn summary(report: &OperationReport) -> Table {
    let operation = &report.operation;
    let nft = &operation.content.nft;
    let mut table = output::table(["operation", &operation.id.to_string()]);
    let mut row = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    row("state", format!("{} (version {})", operation.state, operation.version));
    if let Some(from) = operation.failed_from {
        row("failed from", from.to_string());
    }
    if let Some(failure) = &operation.failure {
        row("last failure", format!("{failure} ({}), tries: {}", failure.class, report.tries()));
    }
    if let Some(reason) = &operation.needs_review {
        row("needs review", reason.clone());
    }
    row("nft", format!("{} ({}), level {}", nft.name, nft.symbol, nft.level));
    row("type, priority", format!("{}, {}", operation.content.kind, operation.priority));
    row("user", operation.user_id.clone());
    row("wallet", operation.content.wallet_address.to_string());
    row("image", nft.image.clone());
    row("image CID", or_dash(operation.image_cid.as_ref()));
    row("metadata CID", or_dash(operation.metadata_cid.as_ref()));
    row("mint", or_dash(operation.mint_address));
    row("signature", or_dash(operation.signature));
    if !report.attempts.is_empty() {
        row("cost so far", cost(report));
    }
    if let Some(nft) = &report.nft {
        row("slot", nft.record.slot.to_string());
        row("metadata URI", nft.record.uri.clone());
    }
    table
}

fn cost(report: &OperationReport) -> String {
    let spending = report.spending();
    let unknown = if spending.unknown > 0 { ", and what is not known" } else { "" };
    format!("{} SOL{unknown}", output::sol(spending.spent.total()))
}

fn milestones(report: &OperationReport) -> Table {
    let mut table = output::table(["state", "at", "seconds before"]);
    let mut milestones = view::milestones(&report.milestones);
    // A retry by hand starts over: what is shown is what happened, in its order.
    milestones.sort_by_key(|(_, at)| *at);
    let mut before: Option<DateTime<Utc>> = None;
    for (state, at) in milestones {
        let seconds = before.map(|before| format!("{:.1}", (at - before).as_seconds_f64()));
        table.add_row([state.to_string(), output::time(at), or_dash(seconds)]);
        before = Some(at);
    }
    table
}

fn attempts(attempts: &[AttemptReport]) -> Table {
    let mut table =
        output::table(["signature", "signed", "payer", "valid to height", "µlamports/CU", "endpoint", "verdict"]);
    for attempt in attempts {
        table.add_row([
            attempt.signature.to_string(),
            output::time(attempt.signed_at),
            or_dash(attempt.payer),
            attempt.last_valid_block_height.to_string(),
            attempt.compute_unit_price.to_string(),
            attempt.endpoint.clone(),
            attempt.verdict.map_or("open", Verdict::as_str).to_owned(),
        ]);
    }
    table
}

fn history(history: &[HistoryEntry]) -> Table {
    let mut table = output::table(["at", "what", "from", "to", "detail"]);
    for entry in history {
        table.add_row([
            output::time(entry.at),
            entry.kind.clone(),
            or_dash(entry.from),
            or_dash(entry.to),
            detail(&entry.detail),
        ]);
    }
    table
}

fn detail(detail: &Value) -> String {
    let Value::Object(fields) = detail else { return detail.to_string() };
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = fields.iter().map(|(name, value)| format!("{name} {}", plain(value)));
    fields.collect::<Vec<_>>().join("\n")
}

/// The same, for machines.
#[must_use]
pub fn document(report: &OperationReport) -> Value {
    let attempts: Vec<_> = report.attempts.iter().map(attempt).collect();
    let nft = report.nft.as_ref().map(|nft| {
        json!({
            "mintAddress": nft.record.mint, "owner": nft.record.owner, "name": nft.record.name,
            "symbol": nft.record.symbol, "uri": nft.record.uri, "signature": nft.record.signature,
            "slot": nft.record.slot, "verifiedAt": nft.verified_at,
        })
    });
    let more = json!({
        "attempts": report.tries(), "lamportsSpent": report.spending().spent.total(),
        "next": next::of(&report.operation), "milestones": report.milestones, "attemptsOnChain": attempts,
        "history": report.history, "record": nft,
    });
    view::merged(view::operation(&report.operation), more)
}

fn cost_of(cost: MintCost) -> Value {
    let MintCost { base_fee, priority_fee, rent, protocol_fee } = cost;
    json!({ "baseFee": base_fee, "priorityFee": priority_fee, "rent": rent, "protocolFee": protocol_fee })
}

fn attempt(attempt: &AttemptReport) -> Value {
    json!({
        "signature": attempt.signature, "version": attempt.version, "signedAt": attempt.signed_at,
        "payer": attempt.payer, "blockhash": attempt.blockhash, "lastValidBlockHeight": attempt.last_valid_block_height,
        "computeUnitPrice": attempt.compute_unit_price, "endpoint": attempt.endpoint, "cost": attempt.cost.map(cost_of),
        "verdict": attempt.verdict.map(Verdict::as_str), "decidedAt": attempt.decided_at,
    })
}
