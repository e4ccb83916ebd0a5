//! What is paid for a place in a block.

use solana::{FeeFault, FeePolicy};

use super::env::Env;
use super::table;

/// The most that a cap may be, micro-lamports a unit: a mint would pay half a SOL with it. More is a slip of the hand.
const DEAREST: u64 = 1_000_000_000;

/// Reads the fee policy.
pub fn fee_policy(env: &mut Env) -> FeePolicy {
    let cap = env.number(&table::SOLANA_PRIORITY_FEE_CAP, 0..=DEAREST);
    let policy = FeePolicy {
        cap,
        percentile: env.number(&table::SOLANA_PRIORITY_FEE_PERCENTILE, 1..=100),
        floor_anew: env.number(&table::SOLANA_PRIORITY_FEE_FLOOR_ANEW, 0..=DEAREST),
        factor: env.parsed(&table::SOLANA_PRIORITY_FEE_FACTOR, "not a number").unwrap_or(1.0),
    };
    for fault in policy.faults() {
        match fault {
            // Its bounds were looked at above.
            FeeFault::Percentile => {}
            FeeFault::Factor => env.problem(format!("{}: not from 1 to 100", table::SOLANA_PRIORITY_FEE_FACTOR.name)),
            FeeFault::FloorAboveCap => env.problem(format!(
                "{}: more than {}",
                table::SOLANA_PRIORITY_FEE_FLOOR_ANEW.name,
                table::SOLANA_PRIORITY_FEE_CAP.name
            )),
        }
    }
    policy
}
