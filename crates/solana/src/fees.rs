//! What a compute unit is worth at the moment.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use solana_client::rpc_request::RpcRequest;

use crate::endpoints::Endpoints;
use crate::fee_policy::FeePolicy;
use crate::refreshed::Refreshed;
use crate::rpc_error::RpcError;
use crate::wire::PrioritizationFee;

const KEEP: Duration = Duration::from_secs(15);

/// The going price of a place in a block. Not that of transactions which write to the payer: those are our own, and a
/// fleet that followed its own price would never come down from it.
#[derive(Debug)]
pub(crate) struct PriorityFees {
    endpoints: Arc<Endpoints>,
    policy: FeePolicy,
    going: Refreshed<u64>,
}

impl PriorityFees {
    pub(crate) const fn new(endpoints: Arc<Endpoints>, policy: FeePolicy) -> Self {
        Self { endpoints, policy, going: Refreshed::new(KEEP) }
    }

    /// Micro-lamports a unit, as the policy has it. A price that cannot be learned is taken for zero: that must not stop
    /// a mint.
    pub(crate) async fn price(&self, signed_before: u32) -> u64 {
        let going = self.going.get(self.fetch()).await.unwrap_or(0);
        self.policy.price(going, signed_before)
    }

    async fn fetch(&self) -> Result<u64, RpcError> {
        let no_accounts: [&str; 0] = [];
        let fees: Vec<PrioritizationFee> =
            self.endpoints.ask(RpcRequest::GetRecentPrioritizationFees, json!([no_accounts])).await?.value;
        Ok(self.policy.going(fees.into_iter().map(|fee| fee.prioritization_fee).collect()))
    }
}
