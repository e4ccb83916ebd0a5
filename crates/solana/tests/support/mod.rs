//! A fake RPC endpoint over real HTTP, and the way to the real chain.
#![allow(dead_code, reason = "every test binary uses its own part of this")]
#![allow(clippy::needless_pass_by_value, reason = "an answer is given, not lent")]

pub mod senders;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::{Attempt, OperationId, Signature};
use resilience::Jitter;
use secrecy::SecretBox;
use serde_json::{Value, json};
use solana::{
    ChainView, Cluster, Commitment, EndpointAddress, Endpoints, EndpointsSettings, FeePolicy, Landing, MintOrder,
    MintSigner, Mints, Pubkey, TokenMetadata, Watch,
};
use solana_client::rpc_request::RpcRequest;
use solana_sdk::signature::{Keypair, Signer};

pub const GENESIS: &str = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";

type Answer = dyn Fn(&str, &Value) -> Response + Send + Sync;

/// An endpoint that answers as it is told and notes every call.
pub struct FakeRpc {
    pub url: String,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

struct Shared {
    answer: Box<Answer>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl FakeRpc {
    pub async fn start(answer: impl Fn(&str, &Value) -> Response + Send + Sync + 'static) -> Self {
        let calls = Arc::<Mutex<Vec<(String, Value)>>>::default();
        let shared = Arc::new(Shared { answer: Box::new(answer), calls: Arc::clone(&calls) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?api-key=hunter2", listener.local_addr().unwrap());
        let routes = Router::new().route("/", post(serve)).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, calls }
    }

    /// The parameters of every call of that method so far.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == method).map(|(_, params)| params.clone()).collect()
    }
}

async fn serve(State(shared): State<Arc<Shared>>, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    let method = request["method"].as_str().unwrap();
    shared.calls.lock().unwrap().push((method.to_owned(), request["params"].clone()));
    (shared.answer)(method, &request["params"])
}

pub fn result(value: Value) -> Response {
    axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "result": value })).into_response()
}

pub fn at(slot: u64, value: Value) -> Response {
    result(json!({ "context": { "slot": slot }, "value": value }))
}

pub fn error(code: i64, message: &str, data: Value) -> Response {
    let error = json!({ "code": code, "message": message, "data": data });
    axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "error": error })).into_response()
}

pub fn status(code: u16) -> Response {
    (StatusCode::from_u16(code).unwrap(), "broken").into_response()
}

pub fn endpoints(urls: &[&str]) -> Arc<Endpoints> {
    let named = urls.iter().enumerate().map(|(index, url)| EndpointAddress::new(format!("e{index}"), *url));
    let settings = EndpointsSettings { timeout: Duration::from_secs(2), ..EndpointsSettings::default() };
    Arc::new(Endpoints::connect(named, settings, Arc::new(Jitter::from_seed(1))).unwrap())
}

pub fn cluster(urls: &[&str]) -> Cluster {
    Cluster::start(endpoints(urls), FeePolicy::default())
}

pub fn attempt() -> Attempt {
    Attempt {
        signature: Signature::from_bytes([5; 64]),
        wire: vec![1, 2, 3],
        payer: None,
        blockhash: "11111111111111111111111111111111".into(),
        last_valid_block_height: 1_000,
        context_slot: 900,
        compute_unit_price: 0,
        endpoint: "e0".into(),
        cost: None,
    }
}

/// The real chain that `make test` brings up.
pub struct RealChain {
    pub cluster: Cluster,
    pub mints: Mints<TokenMetadata>,
    pub payer: Pubkey,
    pub endpoints: Arc<Endpoints>,
}

impl RealChain {
    pub fn connect() -> Self {
        let urls = variable("SOLANA_RPC_ENDPOINTS");
        let without_label = |entry| str::split_once(entry, '=').map_or(entry, |(_, url)| url);
        let endpoints = endpoints(&urls.split(',').map(without_label).collect::<Vec<_>>());
        let payer = variable("MINT_PAYER_KEYPAIR");
        let signer = MintSigner::load(payer.as_ref(), &"17".repeat(32).into(), "test".into()).unwrap();
        let cluster = Cluster::start(Arc::clone(&endpoints), FeePolicy::default());
        let payer = signer.payers().addresses().next().unwrap();
        Self { cluster, payer, mints: Mints::new(signer, TokenMetadata), endpoints }
    }

    /// The same chain with a payer of its own, which holds a SOL: whatever it loses was lost by this test.
    pub async fn with_a_payer_of_its_own() -> (Self, Pubkey) {
        let chain = Self::connect();
        let payer = Keypair::new();
        let address = payer.pubkey();
        chain.give(&address, 1_000_000_000).await;
        let signer = MintSigner::new(payer, SecretBox::new(Box::new([23; 32])), "test".into());
        (Self { mints: Mints::new(signer, TokenMetadata), ..chain }, address)
    }

    /// Lamports out of nowhere.
    pub async fn give(&self, account: &Pubkey, lamports: u64) {
        let params = json!([account.to_string(), lamports]);
        let airdrop = self.endpoints.ask::<String>(RpcRequest::RequestAirdrop, params).await.unwrap().value;
        let watch = Watch { signature: airdrop.parse().unwrap(), signed_at: None };
        let landing = self.cluster.landing(watch, Commitment::Confirmed, Duration::from_mins(1)).await;
        assert!(matches!(landing, Landing::Landed { .. }), "{landing:?}");
    }

    /// An order under a fresh operation id.
    pub fn order(&self) -> (OperationId, MintOrder) {
        let id = OperationId::from_uuid(fresh());
        (id, testkit::conformance::chain::order(self.mints.address(&id)))
    }
}

#[expect(clippy::disallowed_methods, reason = "every run on the real chain needs mints of its own")]
pub fn fresh() -> uuid::Uuid {
    uuid::Uuid::new_v4()
}

#[expect(clippy::disallowed_methods, reason = "the one place where these tests learn of the stack")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test`"))
}
