//! `mintctl op retry`: an operation is tried again, on a person's terms.

use anyhow::Result;
use clap::Args;
use domain::{OperationId, RetryTerms};
use service::config::SolanaSettings;
use store::Store;

use super::hand::Hand;
use crate::exit::{Exit, Usage};
use crate::person::PersonArgs;
use crate::run::read;

/// At most so much for a compute unit, micro-lamports: a mint of 200,000 units would pay 0.02 SOL.
const MOST_FEE: u64 = 100_000_000;

const EXAMPLES: &str =
    "What is under way is tried at once, by the rules it goes by anyway. What has failed is taken up again
once its NFT is absent for sure; where it turns out to be there, the operation goes on from
BLOCKCHAIN_CONFIRMED. --endpoint, --fee and --attempts hold for every transaction that is signed for
it from now on, until the next retry; a retry without them takes them back.

Exit code 1 where it is refused, 3 where there is no such operation.

Examples:
  mintctl op retry 0199a0b0-0000-7000-8000-000000000001 --reason 'the gateway is back'
  mintctl op retry 0199a0b0-0000-7000-8000-000000000001 --endpoint backup --fee 50000 --attempts 5";

/// Arguments of `op retry`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RetryArgs {
    /// The operation
    #[arg(value_name = "ID")]
    id: OperationId,

    /// Send its transactions through this RPC endpoint first, by its label; the others still stand in for it
    #[arg(long, value_name = "LABEL")]
    endpoint: Option<String>,

    /// Pay this for a compute unit, micro-lamports, instead of what the cluster asks for; no cap applies
    #[arg(long, value_name = "MICRO_LAMPORTS", value_parser = clap::value_parser!(u64).range(0..=MOST_FEE))]
    fee: Option<u64>,

    /// Sign so many transactions for it at most before it fails
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts: Option<u32>,

    /// Why, for its history
    #[arg(long)]
    reason: Option<String>,

    #[command(flatten)]
    person: PersonArgs,
}

/// Retries it.
///
/// # Errors
/// [`Usage`] for an endpoint that is none of ours; the database's trouble, or endpoints that are not configured.
pub async fn run(args: &RetryArgs, store: &Store, json: bool) -> Result<Exit> {
    if let Some(label) = &args.endpoint {
        check_endpoint(label)?;
    }
    let terms = RetryTerms { endpoint: args.endpoint.clone(), unit_price: args.fee, signings: args.attempts };
    let hand = Hand::new(store, &args.person, args.reason.as_deref())?;
    hand.on(args.id, json, async |operation| hand.retry(operation, &terms).await).await
}

fn check_endpoint(label: &str) -> Result<()> {
    let settings = read(SolanaSettings::read)?;
    let labels: Vec<_> = settings.endpoints.iter().map(|endpoint| endpoint.label.as_str()).collect();
    if labels.contains(&label) {
        return Ok(());
    }
    Err(Usage(format!("there is no RPC endpoint {label:?}: there are {}", labels.join(", "))).into())
}
