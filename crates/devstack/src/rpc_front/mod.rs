//! What stands in front of the chain: RPC endpoints as providers offer them, which count the calls and fail on demand.

mod burns;
mod counts;
mod past;
mod sends;
mod statuses;
mod upstream;
mod view;

use std::{borrow::Cow, collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    response::Response,
    routing::{get, post},
};
use bytes::Bytes;

use counts::Counts;
pub(crate) use upstream::Upstream;
use view::View;

use crate::faults::{Cut, HttpGate, Switch};

/// What the chain's own server takes.
const LARGEST_REQUEST: usize = 15 * 1024 * 1024;

/// One endpoint. Closed when dropped.
#[derive(Debug)]
pub(crate) struct RpcFront {
    label: String,
    counts: Arc<Counts>,
    gate: HttpGate,
}

impl RpcFront {
    /// Listens at `address` and hands every call to `chain`, unless `switch` says otherwise.
    pub(crate) async fn start(
        label: String,
        address: SocketAddr,
        chain: Arc<Upstream>,
        switch: &Switch,
    ) -> io::Result<Self> {
        let counts = Arc::new(Counts::default());
        let front = Arc::new(Front { chain, counts: Arc::clone(&counts), switch: switch.clone() });
        let routes = Router::new()
            .route("/", post(answer))
            .route("/_counts", get(async |State(front): State<Arc<Front>>| Json(front.counts.by_method())))
            .route("/_counts/reset", post(async |State(front): State<Arc<Front>>| front.counts.reset()))
            .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
            .with_state(front);
        let gate = HttpGate::open(address, switch.clone(), routes).await?;
        Ok(Self { label, counts, gate })
    }

    /// What it is called, and where it answers.
    pub(crate) fn entry(&self) -> String {
        format!("{}=http://{}", self.label, self.gate.address())
    }

    /// The calls so far.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.by_method()
    }

    /// Starts counting anew.
    pub(crate) fn reset_counts(&self) {
        self.counts.reset();
    }
}

#[derive(Debug)]
struct Front {
    chain: Arc<Upstream>,
    counts: Arc<Counts>,
    switch: Switch,
}

async fn answer(State(front): State<Arc<Front>>, body: Bytes) -> Result<Response, Cut> {
    let methods = counts::methods(&body);
    let methods: Vec<_> = methods.iter().map(Cow::as_ref).collect();
    front.counts.count(&methods);
    let met = front.switch.meet(&methods);
    if let Some(answer) = met.before().await? {
        return Ok(answer);
    }
    let held_back = met.holds_back().and_then(|hold_back| sends::taken(&front.chain, &body, hold_back));
    let answer = match (held_back, View::of(&met, &methods)) {
        (Some(answer), _) => answer,
        (None, None) => front.chain.pass(body.clone()).await,
        (None, Some(view)) => view.answer(&front.chain, body.clone()).await,
    };
    met.after(answer)
}
