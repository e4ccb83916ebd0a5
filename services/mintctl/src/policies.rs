//! `mintctl policies`: how often and how patiently the fleet tries each thing, and what then.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use resilience::{Policies, PolicyRow};
use serde_json::{Value, json};
use service::config::{Env, table};

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
    let policies = read(tuned)?;
    if json {
        output::json_document(&policies.rows().iter().map(document).collect::<Vec<_>>())?;
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
