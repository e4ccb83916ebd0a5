//! What is done for the endpoints beside the calls: those that no call reaches are probed, and whoever feeds the calls
//! learns when there is nobody to call.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use resilience::{OverrideKind, Position, Traffic};
use serde_json::json;
use solana_client::rpc_request::RpcRequest;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};

use crate::commitment::Commitment;
use crate::endpoint::Endpoint;
use crate::endpoints::Endpoints;
use crate::rpc_error::{RpcError, RpcErrorKind};
use crate::slots::Comparable;
use crate::transport_fault::TransportFault;

/// How often the endpoints are looked at. That costs no call.
const LOOK: Duration = Duration::from_millis(250);
/// How long a probe may take.
const PROBE: Duration = Duration::from_secs(5);
/// An endpoint that wants to be left alone for less is not out for those who feed the calls: it is not worth a pause.
const A_MOMENT: Duration = Duration::from_secs(2);

type Pooled = resilience::Endpoint<Endpoint>;

impl Endpoints {
    /// False while every endpoint is out, as [`Endpoints::watch_over`] sees it.
    #[must_use]
    pub fn open(&self) -> watch::Receiver<bool> {
        self.open.subscribe()
    }

    /// Goes on for as long as the endpoints are used. May be dropped at any await.
    pub async fn watch_over(self: Arc<Self>) {
        let look = async {
            let mut looks = looks();
            loop {
                looks.tick().await;
                self.look();
            }
        };
        let probe = async {
            let mut looks = looks();
            loop {
                looks.tick().await;
                self.probe_the_silent().await;
            }
        };
        tokio::join!(look, probe);
    }

    fn look(&self) {
        let now = Instant::now();
        let open = self.pool.endpoints().any(|endpoint| is_in_use(endpoint, now));
        let changed = self.open.send_if_modified(|was| std::mem::replace(was, open) != open);
        if changed && open {
            tracing::info!("an RPC endpoint is in use again");
        } else if changed {
            tracing::warn!("every RPC endpoint is out: no call is made");
        }
    }

    async fn probe_the_silent(&self) {
        let silent = self.pool.needs_probe(Instant::now());
        let probed: Vec<_> = join_all(silent.iter().map(|endpoint| self.probe(endpoint))).await;
        let mut failures = probed.into_iter().flatten();
        if let Some(error) = failures.next()
            && !*self.open.borrow()
        {
            self.tell(Some(&error));
        }
    }

    /// One cheap call, and what went wrong with it.
    async fn probe(&self, endpoint: &Pooled) -> Option<RpcError> {
        if endpoint.budget(Traffic::Read).try_take().is_err() {
            return None;
        }
        let (request, params) = (RpcRequest::GetSlot, json!([Commitment::Confirmed.config()]));
        let kind = Comparable::of(request, &params);
        let began = Instant::now();
        let answer = timeout(PROBE, endpoint.client().call::<u64>(request, params)).await;
        let answer = answer.unwrap_or_else(|_| {
            Err(RpcError::new(endpoint.label(), request, RpcErrorKind::Transport(TransportFault::TimedOut)))
        });
        endpoint.probed(answer.as_ref().map(|_| began.elapsed()).map_err(RpcError::fault));
        match answer {
            Ok(slot) => {
                endpoint.is_behind(self.tips.lag(kind, slot));
                self.tell(None);
                None
            }
            Err(error) => Some(error),
        }
    }
}

/// Whether calls may go there: its next one as a probe perhaps, or those of critical operations alone.
fn is_in_use(endpoint: &Pooled, now: Instant) -> bool {
    let state = endpoint.breaker().state();
    let rests = match state.override_at(now).map(|forced| forced.kind) {
        Some(OverrideKind::ForcedOpen) => true,
        Some(OverrideKind::ForcedClosed | OverrideKind::Bypass) => false,
        Some(OverrideKind::ExtendedRest(_)) | None => {
            matches!(state.position, Position::Open { until } if now < until)
        }
    };
    let paused_until = endpoint.budget(Traffic::Read).paused_until();
    !rests && paused_until.is_none_or(|until| until <= now + A_MOMENT)
}

fn looks() -> Interval {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}
