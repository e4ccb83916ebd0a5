//! What a compute unit is worth at the moment.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use solana_client::rpc_request::RpcRequest;

use crate::endpoints::Endpoints;
use crate::refreshed::Refreshed;
use crate::rpc_error::RpcError;
use crate::wire::PrioritizationFee;

const KEEP: Duration = Duration::from_secs(15);
/// Three quarters of the recent slots took transactions for this price or less.
const PERCENTILE: usize = 75;
/// What a transaction that is signed anew offers at least, micro-lamports a unit: the one before was worth too little.
const LEAST_ANEW: u64 = 5_000;

/// The going price of a place in a block, with a cap. Not that of transactions which write to the payer: those are our
/// own, and a fleet that followed its own price would never come down from it.
#[derive(Debug)]
pub(crate) struct PriorityFees {
    endpoints: Arc<Endpoints>,
    cap: u64,
    shared: Refreshed<u64>,
}

impl PriorityFees {
    pub(crate) const fn new(endpoints: Arc<Endpoints>, cap: u64) -> Self {
        Self { endpoints, cap, shared: Refreshed::new(KEEP) }
    }

    /// Micro-lamports a unit, doubled for each time the operation was signed before. A price that cannot be learned is
    /// taken for zero: that must not stop a mint.
    pub(crate) async fn price(&self, signed_before: u32) -> u64 {
        let going = self.shared.get(self.fetch()).await.unwrap_or(0);
        let price = match signed_before {
            0 => going,
            again => going.max(LEAST_ANEW).saturating_mul(1 << again.min(20)),
        };
        price.min(self.cap)
    }

    async fn fetch(&self) -> Result<u64, RpcError> {
        let no_accounts: [&str; 0] = [];
        let fees: Vec<PrioritizationFee> =
            self.endpoints.ask(RpcRequest::GetRecentPrioritizationFees, json!([no_accounts])).await?.value;
        Ok(percentile(fees.into_iter().map(|fee| fee.prioritization_fee).collect()))
    }
}

/// The list may be empty: nobody paid, so nothing is the price.
fn percentile(mut fees: Vec<u64>) -> u64 {
    fees.sort_unstable();
    let index = fees.len().saturating_sub(1) * PERCENTILE / 100;
    fees.get(index).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_is_the_upper_quartile_and_nothing_where_nobody_paid() {
        assert_eq!(percentile(vec![]), 0);
        assert_eq!(percentile(vec![7]), 7);
        assert_eq!(percentile((1..=101).rev().collect()), 76);
    }
}
