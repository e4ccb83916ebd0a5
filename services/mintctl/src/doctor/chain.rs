//! Does each endpoint answer, do all serve one cluster, are the keys good, and is there money?

use std::sync::Arc;
use std::time::Duration;

use resilience::Jitter;
use serde::Deserialize;
use serde_json::{Value, json};
use service::MintKeyCheck;
use service::config::{self, MintKeySettings, SolanaSettings};
use solana::{Endpoint, Endpoints, EndpointsSettings, MasterSecret, MasterSecrets, MintSigner, Pubkey, RpcError};
use solana_client::rpc_request::RpcRequest;
use store::Store;

use super::row::Row;
use crate::run::read;

/// A person waits: no longer than this, whatever the workers' own limit is.
const PATIENCE: Duration = Duration::from_secs(10);
const CHAIN: &str = "solana";
const KEYS: &str = "mint keys";
const LAMPORTS: u64 = 1_000_000_000;
/// What one mint takes of the payer, rent, protocol fee and network fee, about.
const ONE_MINT: u64 = 12_000_000;
/// Fewer mints than this are soon over.
const FEW_MINTS: u64 = 100;

pub async fn examine() -> Vec<Row> {
    let (signer, mut rows) = keys().await;
    if let Some(signer) = &signer {
        rows.extend(secrets(signer.masters()).await);
    }
    let settings = match read(SolanaSettings::read) {
        Ok(settings) => settings,
        Err(error) => return rows.into_iter().chain(Row::configuration(CHAIN, error)).collect(),
    };
    let endpoints = match connect(&settings) {
        Ok(endpoints) => endpoints,
        Err(error) => return rows.into_iter().chain([Row::fail(CHAIN, error, "see SOLANA_RPC_ENDPOINTS")]).collect(),
    };
    let answers = futures::future::join_all(endpoints.list().map(ask)).await;
    rows.extend(one_cluster(&answers, recorded().await.as_deref()));
    rows.extend(answers.into_iter().map(Answer::row));
    let payers: Vec<_> = signer.iter().flat_map(|signer| signer.payers().addresses()).collect();
    rows.extend(futures::future::join_all(payers.iter().map(|payer| funds(&endpoints, payer))).await);
    rows
}

/// The endpoints, for a person who waits.
///
/// # Errors
/// Settings that a pool does not take.
pub fn connect(settings: &SolanaSettings) -> Result<Endpoints, solana::EndpointsError> {
    let timeout = settings.timeout.min(PATIENCE);
    let briefly = EndpointsSettings { timeout, pool: settings.pool(), ..EndpointsSettings::default() };
    Endpoints::connect(settings.endpoints.clone(), briefly, Arc::new(Jitter::from_os()))
}

struct Answer {
    label: Arc<str>,
    found: Result<Found, RpcError>,
}

struct Found {
    version: String,
    genesis: String,
    slot: u64,
}

async fn ask(endpoint: &Endpoint) -> Answer {
    let found = async {
        let version: Value = endpoint.call(RpcRequest::GetVersion, Value::Null).await?;
        let genesis = endpoint.call(RpcRequest::GetGenesisHash, Value::Null).await?;
        let slot = endpoint.call(RpcRequest::GetSlot, json!([{ "commitment": "confirmed" }])).await?;
        let version = version["solana-core"].as_str().unwrap_or("of unknown version").to_owned();
        Ok(Found { version, genesis, slot })
    };
    Answer { label: Arc::clone(endpoint.label()), found: found.await }
}

impl Answer {
    fn row(self) -> Row {
        let what = format!("{CHAIN} {}", self.label);
        match self.found {
            Ok(Found { version, slot, .. }) => Row::ok(what, format!("{version}, slot {slot}")),
            Err(error) => Row::fail(what, error, "correct or remove it in SOLANA_RPC_ENDPOINTS, or wait for it"),
        }
    }
}

/// The genesis hash that the fleet has on record. Where the database cannot tell, its own row says why.
async fn recorded() -> Option<String> {
    let store = Store::connect(&read(config::small_database_settings).ok()?).await.ok()?;
    store.recorded_identity().await.ok()?
}

/// Endpoints of different clusters must never be mixed: what is absent on one may be minted on the other.
fn one_cluster(answers: &[Answer], recorded: Option<&str>) -> Option<Row> {
    const CLUSTER: &str = "solana cluster";
    let mut genesis: Vec<&str> =
        answers.iter().filter_map(|answer| Some(&*answer.found.as_ref().ok()?.genesis)).collect();
    genesis.sort_unstable();
    genesis.dedup();
    match genesis[..] {
        [] => None,
        [one] if recorded.is_some_and(|recorded| recorded != one) => {
            let found = format!("genesis {one}, but the fleet mints on {}", recorded.unwrap_or_default());
            Some(Row::fail(CLUSTER, found, "correct SOLANA_RPC_ENDPOINTS, or DATABASE_URL"))
        }
        [one] => Some(Row::ok(CLUSTER, format!("genesis {one}"))),
        _ => {
            let found = format!("endpoints of {} clusters: genesis {}", genesis.len(), genesis.join(", "));
            Some(Row::fail(CLUSTER, found, "keep the endpoints of one cluster in SOLANA_RPC_ENDPOINTS"))
        }
    }
}

async fn keys() -> (Option<MintSigner>, Vec<Row>) {
    let settings = match read(MintKeySettings::read) {
        Ok(settings) => settings,
        Err(error) => return (None, Row::configuration(KEYS, error)),
    };
    match settings.open().await {
        Ok(signer) => {
            let found = listed(&signer);
            (Some(signer), vec![Row::ok(KEYS, found)])
        }
        Err(error) => (None, vec![Row::fail(KEYS, error, "correct the keys, or the signer command")]),
    }
}

/// Whether the master secrets are those on record. Where the database cannot tell, its own rows say why.
async fn secrets(masters: &MasterSecrets) -> Vec<Row> {
    const SECRETS: &str = "master secrets";
    let Ok(settings) = read(config::small_database_settings) else { return Vec::new() };
    let Ok(store) = Store::connect(&settings).await else { return Vec::new() };
    let check = match service::check_mint_keys(&store, masters).await {
        Ok(check) => check,
        Err(error) => return vec![Row::fail(SECRETS, format!("{error:#}"), "see the database's rows")],
    };
    if check == MintKeyCheck::default() {
        return vec![Row::ok(SECRETS, "as their fingerprints on record say")];
    }
    let wrong = check.problems.iter().map(|problem| Row::fail(SECRETS, problem, "correct it before a worker starts"));
    let unknown = check.unknown.iter().map(|key_id| {
        Row::warn(SECRETS, format!("{key_id} is not on record yet"), "mintctl migrate puts its fingerprint there")
    });
    wrong.chain(unknown).collect()
}

/// Who pays, and what addresses are derived from.
fn listed(signer: &MintSigner) -> String {
    let payers: Vec<_> = signer.payers().addresses().map(|payer| payer.to_string()).collect();
    let retired: Vec<_> = signer.masters().retired().map(MasterSecret::key_id).collect();
    let retired = if retired.is_empty() { String::new() } else { format!(" (retired: {})", retired.join(", ")) };
    format!("payer {}, master secret {}{retired}", payers.join(" and "), signer.masters().active().key_id())
}

/// The part of a `getBalance` answer that holds the lamports.
#[derive(Deserialize)]
struct Balance {
    value: u64,
}

async fn funds(endpoints: &Endpoints, payer: &Pubkey) -> Row {
    let what = format!("funds of payer {payer}");
    let params = json!([payer.to_string(), { "commitment": "confirmed" }]);
    match endpoints.ask::<Balance>(RpcRequest::GetBalance, params).await {
        Ok(answer) => judge_funds(&what, answer.value.value),
        Err(error) => Row::fail(what, error, "an endpoint has to answer first"),
    }
}

fn judge_funds(what: &str, lamports: u64) -> Row {
    let mints = lamports / ONE_MINT;
    let (whole, rest) = (lamports / LAMPORTS, lamports % LAMPORTS / 1_000_000);
    let found = format!("{whole}.{rest:03} SOL, about {mints} mints");
    match mints {
        0 => Row::fail(what, found, "send the payer SOL"),
        1..FEW_MINTS => Row::warn(what, found, "send the payer SOL soon"),
        FEW_MINTS.. => Row::ok(what, found),
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::Verdict;
    use super::*;

    #[test]
    fn money_is_judged_by_the_mints_it_is_good_for() {
        assert_eq!(judge_funds("f", 0).verdict, Verdict::Fail);
        assert_eq!(judge_funds("f", ONE_MINT).verdict, Verdict::Warn);
        let rich = judge_funds("f", 5 * LAMPORTS + 20_000_000);
        assert_eq!((rich.verdict, rich.found.as_str()), (Verdict::Ok, "5.020 SOL, about 418 mints"));
    }

    #[test]
    fn endpoints_of_another_cluster_are_a_failure() {
        let answer = |genesis: &str| Answer {
            label: "a".into(),
            found: Ok(Found { version: "4".into(), genesis: genesis.into(), slot: 1 }),
        };
        let verdict = |answers: &[Answer], recorded| one_cluster(answers, recorded).map(|row| row.verdict);
        assert_eq!(verdict(&[answer("x"), answer("x")], None), Some(Verdict::Ok));
        assert_eq!(verdict(&[answer("x"), answer("y")], None), Some(Verdict::Fail));
        assert_eq!(verdict(&[answer("x")], Some("x")), Some(Verdict::Ok));
        assert_eq!(verdict(&[answer("x")], Some("y")), Some(Verdict::Fail));
        assert_eq!(verdict(&[], None), None);
    }
}
