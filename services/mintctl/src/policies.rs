//! `mintctl policies`: how often and how patiently the fleet tries each thing, and what then; and what it pays for a place
//! in a block, and how its payers are kept in funds.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use comfy_table::Table;
use domain::MOST_SIGNED;
use resilience::{Policies, PolicyRow};
use serde_json::{Value, json};
use service::config::{Env, fee_policy, funding_policy, table};
use solana::{FeePolicy, FundingPolicy};

use crate::exit::Exit;
use crate::output;
use crate::run::read;

const EXAMPLES: &str = "The figures are those of this environment: set the variables as the workers have them.

Examples:
  mintctl policies
  SOLANA_RETRY_ATTEMPTS=5 mintctl policies --json | jq '.[] | select(.attempts > 3)'";

/// Arguments of `policies`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PoliciesArgs {}

/// Prints the table.
///
/// # Errors
/// Variables that make no sense.
pub fn run(json: bool) -> Result<Exit> {
    let (policies, fees, funding) = read(|env| (tuned(env), fee_policy(env), funding_policy(env)))?;
    if json {
        let documents = policies.rows().iter().map(document).chain([fee_document(&fees), funding_document(&funding)]);
        output::json_document(&documents.collect::<Vec<_>>())?;
        return Ok(Exit::Ok);
    }
    let mut table = output::table(["what", "tries", "a try takes", "pauses", "jitter", "what then", "from"]);
    for row in policies.rows() {
        let PolicyRow { name, requirements, policy, escalation } = row;
        let pauses: Vec<_> = policy.schedule().into_iter().map(seconds).collect();
        table.add_row([
            name.to_string(),
            policy.attempts.to_string(),
            format!("≤ {}", seconds(policy.wait)),
            pauses.join(", "),
            if pauses.is_empty() { String::new() } else { format!("± {:.0} %", policy.pauses.jitter * 100.0) },
            (*escalation).to_owned(),
            requirements.join(", "),
        ]);
    }
    output::text(table)?;
    output::text(format!("\nPayers' funds, SOL\n{}", funding_table(&funding)))?;
    output::text(format!("\nPriority fee, micro-lamports a compute unit\n{}", fee_table(&fees)))?;
    Ok(Exit::Ok)
}

/// The table as these variables tune it.
fn tuned(env: &mut Env) -> Policies {
    let mut policies = Policies::default();
    policies.set_solana_attempts(env.number(&table::SOLANA_RETRY_ATTEMPTS, 1..=100));
    policies.set_solana_wait(Duration::from_millis(env.number(&table::SOLANA_TIMEOUT_MS, 100..=600_000)));
    policies.set_ipfs_attempts(env.number(&table::IPFS_RETRY_ATTEMPTS, 1..=100));
    policies
}

fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}

fn document(row: &PolicyRow) -> Value {
    let PolicyRow { name, requirements, policy, escalation } = row;
    let pauses: Vec<_> = policy.schedule().iter().map(Duration::as_secs_f64).collect();
    json!({
        "name": name.as_str(), "requirements": requirements, "attempts": policy.attempts,
        "waitSeconds": policy.wait.as_secs_f64(), "pausesSeconds": pauses, "jitter": policy.pauses.jitter,
        "escalation": escalation,
    })
}

fn fee_table(fees: &FeePolicy) -> Table {
    let mut table = output::table(["first transaction", "signed anew", "and again", "most ever"]);
    let percentile = format!("the price that {} % of the recent slots took", fees.percentile);
    let least = |again| fees.price(0, again);
    table.add_row([
        percentile,
        format!("{} times that, at least {}", fees.factor, least(1)),
        format!("{} times that, at least {}", fees.factor, least(MOST_SIGNED - 1)),
        fees.cap.to_string(),
    ]);
    table
}

fn fee_document(fees: &FeePolicy) -> Value {
    let FeePolicy { cap, percentile, floor_anew, factor } = fees;
    json!({
        "name": "priority-fee", "requirements": ["R-34"], "capMicroLamports": cap, "percentile": percentile,
        "floorAnewMicroLamports": floor_anew, "factor": factor, "escalation": "raised only when a transaction is signed anew",
    })
}

fn funding_table(funding: &FundingPolicy) -> Table {
    let FundingPolicy { pause_below, top_up_below, top_up, per_day } = *funding;
    let mut table = output::table(["signs nothing below", "topped up below", "with", "in 24 hours at most"]);
    table.add_row([pause_below, top_up_below, top_up, per_day].map(output::sol));
    table
}

fn funding_document(funding: &FundingPolicy) -> Value {
    let FundingPolicy { pause_below, top_up_below, top_up, per_day } = funding;
    json!({
        "name": "payer-funds", "requirements": ["R-35"], "pauseBelowLamports": pause_below,
        "topUpBelowLamports": top_up_below, "topUpLamports": top_up, "perDayLamports": per_day,
        "escalation": "nothing is signed with a payer that is out of funds, and one critical event says so",
    })
}
