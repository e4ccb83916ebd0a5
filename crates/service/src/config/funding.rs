//! How the payers are kept in funds.

use std::path::Path;

use solana::{FundingFault, FundingPolicy, KeyError, Treasury};

use super::env::Env;
use super::table;

/// All the lamports there are, and some.
const ALL_LAMPORTS: u64 = 1_000_000_000_000_000_000;

/// How the payers are kept in funds, and from where.
#[derive(Debug, Clone)]
pub struct FundingSettings {
    /// When, and how much.
    pub policy: FundingPolicy,
    /// From where; without it people do it.
    pub treasury: Option<Treasury>,
}

impl FundingSettings {
    /// Reads the policy, and the treasury's key.
    pub fn read(env: &mut Env) -> Self {
        Self { policy: funding_policy(env), treasury: treasury(env) }
    }
}

/// Reads the policy alone.
pub fn funding_policy(env: &mut Env) -> FundingPolicy {
    let policy = FundingPolicy {
        pause_below: env.number(&table::MINT_PAYER_PAUSE_BELOW_LAMPORTS, 0..=ALL_LAMPORTS),
        top_up_below: env.number(&table::MINT_PAYER_TOP_UP_BELOW_LAMPORTS, 0..=ALL_LAMPORTS),
        top_up: env.number(&table::MINT_PAYER_TOP_UP_LAMPORTS, 1..=ALL_LAMPORTS),
        per_day: env.number(&table::MINT_TREASURY_LAMPORTS_PER_DAY, 0..=ALL_LAMPORTS),
    };
    for fault in policy.faults() {
        let (variable, problem) = match fault {
            FundingFault::PauseAboveTopUp => {
                (&table::MINT_PAYER_PAUSE_BELOW_LAMPORTS, "more than MINT_PAYER_TOP_UP_BELOW_LAMPORTS")
            }
            // Its bounds were looked at above.
            FundingFault::NoTopUp => continue,
            FundingFault::TopUpBelowPause => {
                (&table::MINT_PAYER_TOP_UP_LAMPORTS, "less than MINT_PAYER_PAUSE_BELOW_LAMPORTS")
            }
            FundingFault::TopUpAboveDay => {
                (&table::MINT_PAYER_TOP_UP_LAMPORTS, "more than MINT_TREASURY_LAMPORTS_PER_DAY")
            }
        };
        env.problem(format!("{}: {problem}", variable.name));
    }
    policy
}

/// The path is not shown: somebody may have put the key there.
fn treasury(env: &mut Env) -> Option<Treasury> {
    let variable = &table::MINT_TREASURY_KEYPAIR;
    let path = env.optional(variable)?;
    match Treasury::load(Path::new(&path)) {
        Ok(treasury) => Some(treasury),
        Err(KeyError::Unreadable { source, .. }) => {
            env.problem(format!("{}: cannot be read: {source}", variable.name));
            None
        }
        Err(_) => {
            env.problem(format!("{}: no keypair as solana-keygen writes it", variable.name));
            None
        }
    }
}
