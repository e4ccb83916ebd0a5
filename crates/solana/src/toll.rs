//! What a transaction takes from its payer beside the priority fee: read from the chain once for each shape of
//! transaction, so that no mint costs a call of its own.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::MintCost;
use futures::future::try_join_all;
use serde_json::json;
use solana_client::rpc_request::RpcRequest;
use solana_sdk::hash::Hash;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::transaction::Transaction;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::commitment::Commitment;
use crate::compute::Shape;
use crate::endpoints::Endpoints;
use crate::rpc_error::RpcError;
use crate::standard::Prefund;
use crate::wire::{At, SimulatedAccount, Simulation};

/// Rents and fees change with the cluster's features, if ever.
const KEEP: Duration = Duration::from_hours(1);
/// When it is asked again where the chain did not tell.
const KEEP_NOTHING: Duration = Duration::from_secs(30);
/// How long a mint waits for it. What is not known by then is not recorded.
const PATIENCE: Duration = Duration::from_secs(2);
/// A million micro-lamports make a lamport.
const MICRO: u128 = 1_000_000;

/// What a transaction of one shape takes, lamports, where nothing lay at the addresses of its accounts before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Toll {
    /// For its signatures.
    pub base_fee: u64,
    /// Free of rent, the accounts that it creates hold so much.
    pub rent: u64,
    /// What they are given beyond that: the program's own fee.
    pub protocol_fee: u64,
}

impl Toll {
    /// What one transaction of that shape costs, with that limit and price of compute units.
    pub(crate) fn cost(self, prefund: Option<Prefund>, unit_limit: u32, unit_price: u64) -> MintCost {
        let lay_there = prefund.map_or(0, |prefund| prefund.lamports.min(prefund.rent));
        MintCost {
            base_fee: self.base_fee,
            priority_fee: priority_fee(unit_limit, unit_price),
            rent: self.rent.saturating_sub(lay_there),
            protocol_fee: self.protocol_fee,
        }
    }
}

/// What the runtime takes for a place in a block, whether or not the units are used.
pub(crate) fn priority_fee(unit_limit: u32, unit_price: u64) -> u64 {
    let micro = u128::from(unit_limit) * u128::from(unit_price);
    u64::try_from(micro.div_ceil(MICRO)).unwrap_or(u64::MAX)
}

/// The toll of each shape.
#[derive(Debug, Default)]
pub(crate) struct Tolls(Mutex<HashMap<Shape, (Instant, Option<Toll>)>>);

impl Tolls {
    /// The toll of that shape; none where the chain does not tell, for that must not stop a mint. `ask` runs for one
    /// caller at a time.
    pub(crate) async fn get<F>(&self, shape: &Shape, ask: F) -> Option<Toll>
    where
        F: Future<Output = Result<Option<Toll>, RpcError>>,
    {
        let mut tolls = self.0.lock().await;
        let known = tolls.get(shape).copied();
        if let Some((asked, toll)) = known {
            let keep = if toll.is_some() { KEEP } else { KEEP_NOTHING };
            if asked.elapsed() < keep {
                return toll;
            }
        }
        let answer = match timeout(PATIENCE, ask).await {
            Ok(Ok(toll)) => toll,
            Ok(Err(error)) => {
                tracing::warn!(%error, ?shape, "what a mint costs is not known");
                None
            }
            Err(_) => None,
        };
        // What it cost an hour ago it costs now.
        let toll = answer.or(known.and_then(|(_, toll)| toll));
        tolls.insert(shape.clone(), (Instant::now(), toll));
        toll
    }
}

/// Asks the chain, by trying `probe` out, which has no price set. It creates the accounts at `funded`, at the first of
/// which `lay_there` lamports lie already.
pub(crate) async fn ask(
    endpoints: &Endpoints,
    probe: &Transaction,
    blockhash: Hash,
    funded: &[Pubkey],
    lay_there: u64,
) -> Result<Option<Toll>, RpcError> {
    let Some(accounts) = tried_out(endpoints, probe, funded).await? else { return Ok(None) };
    let Some(base_fee) = base_fee(endpoints, probe, blockhash).await? else { return Ok(None) };
    let rents = try_join_all(accounts.iter().map(|(_, bytes)| rent(endpoints, *bytes))).await?;
    Ok(Some(Toll::of(base_fee, &accounts, &rents, lay_there)))
}

impl Toll {
    fn of(base_fee: u64, accounts: &[(u64, u64)], rents: &[u64], lay_there: u64) -> Self {
        let held: u64 = accounts.iter().map(|(lamports, _)| lamports).sum();
        let rent: u64 = rents.iter().sum();
        let surplus = lay_there.saturating_sub(rents.first().copied().unwrap_or(0));
        Self { base_fee, rent, protocol_fee: held.saturating_sub(rent).saturating_sub(surplus) }
    }
}

/// Lamports and bytes of those accounts once the transaction has run; none where it fails, or an account is not told.
async fn tried_out(
    endpoints: &Endpoints,
    probe: &Transaction,
    funded: &[Pubkey],
) -> Result<Option<Vec<(u64, u64)>>, RpcError> {
    let addresses: Vec<_> = funded.iter().map(ToString::to_string).collect();
    let config = json!({
        "encoding": "base64", "sigVerify": false, "replaceRecentBlockhash": true,
        "commitment": Commitment::Confirmed.as_str(), "accounts": { "encoding": "base64", "addresses": addresses },
    });
    let params = json!([BASE64.encode(wire(probe)), config]);
    let answer = endpoints.ask::<At<Simulation>>(RpcRequest::SimulateTransaction, params).await?.value.value;
    let told = |account: Option<SimulatedAccount>| account.and_then(|account| Some((account.lamports, account.space?)));
    let accounts = answer.accounts.filter(|accounts| answer.err.is_none() && accounts.len() == funded.len());
    Ok(accounts.and_then(|accounts| accounts.into_iter().map(told).collect()))
}

async fn base_fee(endpoints: &Endpoints, probe: &Transaction, blockhash: Hash) -> Result<Option<u64>, RpcError> {
    let mut message = probe.message.clone();
    message.recent_blockhash = blockhash;
    let params = json!([BASE64.encode(wire(&message)), Commitment::Confirmed.config()]);
    Ok(endpoints.ask::<At<Option<u64>>>(RpcRequest::GetFeeForMessage, params).await?.value.value)
}

/// What an account of that many bytes has to hold to be free of rent.
pub(crate) async fn rent(endpoints: &Endpoints, bytes: u64) -> Result<u64, RpcError> {
    Ok(endpoints.ask(RpcRequest::GetMinimumBalanceForRentExemption, json!([bytes])).await?.value)
}

fn wire(what: &impl serde::Serialize) -> Vec<u8> {
    bincode::serialize(what).expect("a transaction has a wire form, and so has its message")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { standard: "test", prefunded: false, collection: false, cosigned: false };
    const TOLL: Toll = Toll { base_fee: 10_000, rent: 5_000_000, protocol_fee: 10_000_000 };

    #[test]
    fn what_is_held_beyond_the_rent_is_the_programs_fee_but_for_a_strangers_gift() {
        let accounts = [(1_461_600, 82), (15_115_600, 607)];
        let rents = [1_461_600, 5_115_600];
        let toll = Toll { base_fee: 10_000, rent: 6_577_200, protocol_fee: 10_000_000 };
        assert_eq!(Toll::of(10_000, &accounts, &rents, 0), toll);
        assert_eq!(Toll::of(10_000, &accounts, &rents, 1_000), toll, "less than the rent lay there");
        let more = [(2_000_000, 82), accounts[1]];
        assert_eq!(Toll::of(10_000, &more, &rents, 2_000_000), toll, "more than the rent lay there");
    }

    #[test]
    fn a_cost_is_the_toll_less_what_lay_there_and_the_priority() {
        let cost = TOLL.cost(None, 200_000, 1_001);
        assert_eq!((cost.total(), cost.priority_fee), (15_010_201, 201), "a part of a lamport is a lamport");
        let prefunded = |lamports| TOLL.cost(Some(Prefund { lamports, rent: 1_461_600 }), 0, 0).rent;
        assert_eq!([1_000, 1_461_600, 9_000_000].map(prefunded), [4_999_000, 3_538_400, 3_538_400]);
        assert_eq!(priority_fee(u32::MAX, u64::MAX), u64::MAX);
    }

    fn unreachable() -> RpcError {
        RpcError::behind(&"e0".into(), RpcRequest::SimulateTransaction, 1, 2)
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_asked_once_and_no_failure_stops_a_mint() {
        let (tolls, asked) = (Tolls::default(), std::cell::Cell::new(0));
        let get = async |answer| {
            let ask = async {
                asked.set(asked.get() + 1);
                answer
            };
            tolls.get(&SHAPE, ask).await
        };
        assert_eq!(get(Err(unreachable())).await, None);
        assert_eq!(get(Ok(Some(TOLL))).await, None, "it is left alone for a while");
        tokio::time::advance(KEEP_NOTHING).await;
        assert_eq!(get(Ok(Some(TOLL))).await, Some(TOLL));
        assert_eq!(get(Ok(None)).await, Some(TOLL));
        tokio::time::advance(KEEP).await;
        assert_eq!(get(Err(unreachable())).await, Some(TOLL), "the last one is better than none");
        assert_eq!(asked.get(), 3);
        tokio::time::advance(KEEP).await;
        assert_eq!(tolls.get(&SHAPE, std::future::pending()).await, Some(TOLL), "nobody waits for ever");
    }
}
