//! `mintctl reconcile`: the chain against the records, both ways, at once.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use service::config::{PayerSettings, SolanaSettings};
use solana::{Cluster, FeePolicy};
use store::Store;
use verifier::{Finding, Reconciler, ReconcilerSettings};

use crate::doctor::connect;
use crate::exit::Exit;
use crate::output;
use crate::person::PersonArgs;
use crate::run::read;
use crate::span::parse_span;

const EXAMPLES: &str =
    "The verifier does this on its own, every RECONCILE_EVERY_SECONDS, and acts on it; here nothing is done
without --fix. With it, an operation that failed and has an NFT after all goes on from
BLOCKCHAIN_CONFIRMED; one that is recorded as minted and is not on chain is put before a person; a burn
is noted in the history. What no operation knows is only told.

Exit code 1 where something is left that a person has to look at.

Examples:
  mintctl reconcile
  mintctl reconcile --fix
  mintctl reconcile --json | jq -r 'select(.finding == \"unknown\").mint'";

/// Between two calls; each asks for a hundred mints.
const PAUSE: Duration = Duration::from_millis(100);

/// Arguments of `reconcile`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReconcileArgs {
    /// Act on what is found
    #[arg(long)]
    fix: bool,

    /// Leave alone what moved within this: the workers have it in hand
    #[arg(long, value_name = "SPAN", default_value = "10m", value_parser = parse_span)]
    rested: Duration,

    #[command(flatten)]
    person: PersonArgs,
}

/// Compares them.
///
/// # Errors
/// Configuration that is missing, endpoints of another cluster, the chain's trouble or the database's.
pub async fn run(args: &ReconcileArgs, store: Arc<Store>, json: bool) -> Result<Exit> {
    let chain = read(SolanaSettings::read)?;
    let creators = read(PayerSettings::read)?.addresses;
    let endpoints = Arc::new(connect(&chain)?);
    endpoints.check_cluster(store.recorded_identity().await?.as_deref()).await?;
    let by = args.person.decides(None)?.by;
    let settings = ReconcilerSettings { creators, fix: args.fix, rested: args.rested, pause: PAUSE, by };
    let mut findings = Vec::new();
    let mut reconciler = Reconciler::new(Cluster::start(endpoints, FeePolicy::NOTHING), store, settings);
    let passed = reconciler.pass(|finding| findings.push(finding)).await;
    for finding in &findings {
        if json {
            output::json_line(&document(finding))?;
        } else {
            output::text(sentence(finding))?;
        }
    }
    passed?;
    if findings.is_empty() && !json {
        output::text("chain and records agree")?;
    }
    Ok(if findings.iter().any(is_left) { Exit::Failed } else { Exit::Ok })
}

/// Whether a person has to look at it.
const fn is_left(finding: &Finding) -> bool {
    match finding {
        Finding::MintedAfterAll { mended, .. } => !*mended,
        Finding::Unwitnessed { .. } | Finding::NotOnChain { .. } | Finding::Unknown { .. } => true,
        Finding::Burned { .. } => false,
    }
}

fn sentence(finding: &Finding) -> String {
    match finding {
        Finding::MintedAfterAll { operation, state, signature, mended } => {
            let done = if *mended { "it goes on from BLOCKCHAIN_CONFIRMED" } else { "not mended" };
            format!("{operation}  {state} on record, and minted by {signature}: {done}")
        }
        Finding::Unwitnessed { operation, state, mint } => {
            format!("{operation}  {state} on record, and at {mint} there is an NFT whose minting no endpoint shows")
        }
        Finding::NotOnChain { operation, mint, found } => {
            format!("{operation}  minted on record, and at {mint} there is {found}")
        }
        Finding::Burned { operation, mint } => format!("{operation}  {mint} was burned by its owner"),
        Finding::Unknown { mint, signature } => format!("{mint}  minted by {signature}, and no operation knows it"),
    }
}

fn document(finding: &Finding) -> Value {
    match finding {
        Finding::MintedAfterAll { operation, state, signature, mended } => json!({
            "finding": "minted-after-all", "operationId": operation, "state": state, "signature": signature, "mended": mended,
        }),
        Finding::Unwitnessed { operation, state, mint } => {
            json!({ "finding": "unwitnessed", "operationId": operation, "state": state, "mint": mint })
        }
        Finding::NotOnChain { operation, mint, found } => {
            json!({ "finding": "not-on-chain", "operationId": operation, "mint": mint, "found": found })
        }
        Finding::Burned { operation, mint } => json!({ "finding": "burned", "operationId": operation, "mint": mint }),
        Finding::Unknown { mint, signature } => json!({ "finding": "unknown", "mint": mint, "signature": signature }),
    }
}
