//! Accounts for many readers in few calls: whoever asks while a call is under way, or soon after one, shares the next one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use resilience::{Gather, Pace};
use serde_json::json;
use solana_client::rpc_request::{MAX_MULTIPLE_ACCOUNTS, RpcRequest};
use solana_sdk::pubkey::Pubkey;

use crate::call::Answer;
use crate::commitment::Commitment;
use crate::endpoints::Endpoints;
use crate::rpc_error::RpcError;
use crate::slot_clock::SLOT;
use crate::wire::{At, WireAccount};

/// Accounts change once a slot at most, so one call a slot that is not full is enough. Two at once for whoever is alone: a
/// verification asks twice.
const PACE: Pace = Pace { every: SLOT, burst: 2 };

/// An account as it is on chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub lamports: u64,
    pub owner: Pubkey,
    pub data: Vec<u8>,
}

/// Accounts as they were at one slot; what does not exist is none.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub slot: u64,
    pub accounts: Vec<Option<Account>>,
}

/// Where the accounts are read.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The next endpoint where one fails.
    Any(Arc<Endpoints>),
    /// This one: for whoever needs two opinions.
    One(Arc<Endpoints>, Arc<str>),
}

#[derive(Debug)]
struct Ask {
    addresses: Vec<Pubkey>,
    min_context_slot: u64,
}

/// Reads accounts at one commitment.
#[derive(Debug)]
pub(crate) struct AccountReader {
    gather: Gather<Ask, Result<Snapshot, RpcError>>,
}

impl AccountReader {
    /// Must be called within a tokio runtime.
    pub(crate) fn start(source: Source, commitment: Commitment) -> Self {
        let weigh = |ask: &Ask| ask.addresses.len();
        let flush = move |asks| read(source.clone(), commitment, asks);
        Self { gather: Gather::paced(MAX_MULTIPLE_ACCOUNTS, MAX_MULTIPLE_ACCOUNTS, weigh, PACE, flush) }
    }

    /// The accounts at those addresses (100 at most), all as of one slot that is not before `min_context_slot`.
    pub(crate) async fn read(&self, addresses: Vec<Pubkey>, min_context_slot: u64) -> Result<Snapshot, RpcError> {
        self.gather.call(Ask { addresses, min_context_slot }).await
    }
}

/// One call for all. The endpoint must have reached the slot that the least demanding needs; what the others need is
/// judged by the slot of the answer, so that one of them cannot fail the rest.
async fn read(source: Source, commitment: Commitment, asks: Vec<Ask>) -> Vec<Result<Snapshot, RpcError>> {
    let addresses: Vec<_> = asks.iter().flat_map(|ask| ask.addresses.iter().map(ToString::to_string)).collect();
    let min_context_slot = asks.iter().map(|ask| ask.min_context_slot).min().unwrap_or(0);
    let mut config = json!({ "encoding": "base64", "commitment": commitment.as_str() });
    if min_context_slot > 0 {
        config["minContextSlot"] = json!(min_context_slot);
    }
    match fetch(source, addresses.len(), json!([addresses, config])).await {
        Ok(Answer { value: Snapshot { slot, accounts }, endpoint }) => {
            let mut accounts = accounts.into_iter();
            let mut answer = |ask: &Ask| {
                let accounts = accounts.by_ref().take(ask.addresses.len()).collect();
                if slot >= ask.min_context_slot {
                    Ok(Snapshot { slot, accounts })
                } else {
                    Err(RpcError::behind(&endpoint, RpcRequest::GetMultipleAccounts, slot, ask.min_context_slot))
                }
            };
            asks.iter().map(&mut answer).collect()
        }
        Err(error) => asks.iter().map(|_| Err(error.clone())).collect(),
    }
}

async fn fetch(source: Source, count: usize, params: serde_json::Value) -> Result<Answer<Snapshot>, RpcError> {
    let request = RpcRequest::GetMultipleAccounts;
    let read = |At { context, value }: At<Vec<Option<WireAccount>>>| {
        if value.len() != count {
            return Err(format!("{} accounts where {count} were asked for", value.len()));
        }
        let accounts: Result<_, _> = value.into_iter().map(|account| account.map(decode).transpose()).collect();
        Ok(Snapshot { slot: context.slot, accounts: accounts? })
    };
    match source {
        Source::Any(endpoints) => endpoints.ask_for(request, params, read).await,
        Source::One(endpoints, endpoint) => endpoints.ask_one(&endpoint, request, params, read).await,
    }
}

pub(crate) fn decode(account: WireAccount) -> Result<Account, String> {
    let owner = account.owner.parse().map_err(|error| format!("owner: {error}"))?;
    let data = BASE64.decode(account.data.0).map_err(|error| format!("data: {error}"))?;
    Ok(Account { lamports: account.lamports, owner, data })
}
