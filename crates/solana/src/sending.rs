//! Sends the bytes of an attempt; and when they are sent again, through another endpoint.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::{Attempt, Priority, Signature};
use resilience::{Call, Lease, NoEndpoint, Traffic};
use serde_json::{Value, json};
use solana_client::rpc_request::RpcRequest;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::commitment::Commitment;
use crate::endpoint::Endpoint;
use crate::endpoints::Endpoints;
use crate::rpc_error::{RpcError, RpcErrorKind};
use crate::send_outcome::SendOutcome;
use crate::transport_fault::TransportFault;

/// Sends under way at once: one connection each, and what an endpoint takes of one client without complaint.
const AT_ONCE: usize = 64;
/// How long an endpoint may take. What it has taken in by then shows on chain, and what it has not is sent again: nothing
/// is gained by waiting.
const PATIENCE: Duration = Duration::from_secs(5);
/// Attempts of which it is known through whom they went: more than are open at once.
const REMEMBERED: usize = 4_096;

/// Sends through the endpoints.
#[derive(Debug)]
pub(crate) struct Sending {
    endpoints: Arc<Endpoints>,
    places: Semaphore,
    went: Mutex<Went>,
}

/// Through whom each attempt went last, and through whom it was to go first.
#[derive(Debug, Default)]
struct Went {
    through: HashMap<Signature, Arc<str>>,
    preferred: HashMap<Signature, Arc<str>>,
    oldest_first: VecDeque<Signature>,
}

impl Sending {
    pub(crate) fn new(endpoints: Arc<Endpoints>) -> Self {
        Self { endpoints, places: Semaphore::new(AT_ONCE), went: Mutex::default() }
    }

    /// See [`crate::Chain::prefer`].
    pub(crate) fn prefer(&self, signature: Signature, endpoint: &str) {
        self.went().preferred.insert(signature, endpoint.into());
    }

    /// See [`crate::Chain::send`]. Whoever had these bytes before comes last, and at the first send everybody but the one
    /// that is preferred.
    pub(crate) async fn send(
        &self,
        attempt: &Attempt,
        priority: Priority,
        again: bool,
        preflight: bool,
    ) -> SendOutcome {
        let call = Call { traffic: Traffic::Send, critical: priority == Priority::Critical };
        let params = params(attempt, preflight);
        let _place = self.places.acquire().await;
        let mut spared = self.spared(&attempt.signature, again);
        let mut tried = spared.clone();
        let mut last = None;
        loop {
            let lease = match self.endpoints.pool.acquire(call, &tried).await {
                Ok(lease) => lease,
                Err(none) if spared.is_empty() => return last.unwrap_or_else(|| self.nobody(none)),
                Err(_) => {
                    tried.retain(|tried| !spared.contains(tried));
                    spared.clear();
                    continue;
                }
            };
            let label = Arc::clone(lease.label());
            self.goes_through(attempt.signature, &label);
            let outcome = SendOutcome::of(self.through(lease, params.clone()).await);
            if !outcome.goes_elsewhere() {
                return outcome;
            }
            tried.push(label);
            last = Some(outcome);
        }
    }

    async fn through(&self, lease: Lease<Endpoint>, params: Value) -> Result<String, RpcError> {
        let (request, label) = (RpcRequest::SendTransaction, Arc::clone(lease.label()));
        let sent = timeout(PATIENCE, self.endpoints.call(lease, request, params, Ok)).await;
        let answer = sent
            .unwrap_or_else(|_| Err(RpcError::new(&label, request, RpcErrorKind::Transport(TransportFault::TimedOut))));
        self.endpoints.tell(answer.as_ref().err());
        answer.map(|answer| answer.value)
    }

    fn nobody(&self, none: NoEndpoint) -> SendOutcome {
        let error = RpcError::not_asked(RpcRequest::SendTransaction, none);
        self.endpoints.tell(Some(&error));
        SendOutcome::NotReached(error)
    }

    /// Who is not asked while somebody else can be.
    fn spared(&self, signature: &Signature, again: bool) -> Vec<Arc<str>> {
        let went = self.went();
        if again {
            return went.through.get(signature).cloned().into_iter().collect();
        }
        let labels = || self.endpoints.pool.endpoints().map(|endpoint| endpoint.label());
        match went.preferred.get(signature).filter(|preferred| labels().any(|label| label == *preferred)) {
            Some(preferred) => labels().filter(|label| *label != preferred).cloned().collect(),
            None => vec![],
        }
    }

    fn went(&self) -> MutexGuard<'_, Went> {
        self.went.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn goes_through(&self, signature: Signature, label: &Arc<str>) {
        let mut went = self.went();
        if went.through.insert(signature, Arc::clone(label)).is_some() {
            return;
        }
        went.oldest_first.push_back(signature);
        if went.oldest_first.len() > REMEMBERED
            && let Some(oldest) = went.oldest_first.pop_front()
        {
            went.through.remove(&oldest);
            went.preferred.remove(&oldest);
        }
    }
}

fn params(attempt: &Attempt, preflight: bool) -> Value {
    let config = json!({
        "encoding": "base64", "maxRetries": 0, "skipPreflight": !preflight,
        "preflightCommitment": Commitment::Confirmed.as_str(), "minContextSlot": attempt.context_slot,
    });
    json!([BASE64.encode(&attempt.wire), config])
}
