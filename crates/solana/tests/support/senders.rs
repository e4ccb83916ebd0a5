//! Endpoints behind senders in memory, which fail as they are told and count what they are asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use resilience::{Dependency, EndpointHealth, HealthBoard, HealthState, Jitter};
use serde_json::{Value, json};
use solana::{Answer, EndpointAddress, Endpoints, EndpointsSettings, RpcError, TransportFault};
use solana_client::client_error::{ClientError, ClientErrorKind};
use solana_client::rpc_request::RpcRequest;
use solana_client::rpc_sender::{RpcSender, RpcTransportStats};
use tokio::time::{Instant, sleep};

const LATENCY: Duration = Duration::from_millis(20);
/// After which the HTTP client gives up.
const TIMEOUT: Duration = Duration::from_secs(30);
const SLOT: Duration = Duration::from_millis(400);

/// How a sender is.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    Well,
    Refusing,
    Limiting(Duration),
    Slow(Duration),
    Hanging,
    Behind(u64),
    Garbled,
}

/// A sender that fails as it is told.
#[derive(Debug)]
pub struct FakeSender {
    born: Instant,
    mood: Mutex<Mood>,
    calls: Mutex<Vec<&'static str>>,
}

impl FakeSender {
    pub fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// What was asked for a purpose.
    pub fn questions(&self) -> usize {
        self.calls_of("getBalance")
    }

    pub fn sends(&self) -> usize {
        self.calls_of("sendTransaction")
    }

    pub fn probes(&self) -> usize {
        self.calls_of("getSlot")
    }

    fn calls_of(&self, method: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|called| **called == method).count()
    }

    fn answer(&self, request: RpcRequest, behind: u64) -> Value {
        let slots = u64::try_from(self.born.elapsed().as_millis() / SLOT.as_millis()).unwrap();
        let slot = 1_000 + slots - behind;
        match request {
            RpcRequest::GetSlot => json!(slot),
            RpcRequest::SendTransaction => json!("signature"),
            _ => json!({ "context": { "slot": slot }, "value": 7 }),
        }
    }
}

#[async_trait]
impl RpcSender for FakeSender {
    async fn send(&self, request: RpcRequest, _: Value) -> Result<Value, ClientError> {
        self.calls.lock().unwrap().push(request.as_str());
        let mood = *self.mood.lock().unwrap();
        let fault = match mood {
            Mood::Refusing => TransportFault::Refused("nobody there".into()),
            Mood::Limiting(pause) => TransportFault::RateLimited { retry_after: Some(pause) },
            Mood::Slow(latency) => {
                sleep(latency).await;
                return Ok(self.answer(request, 0));
            }
            Mood::Hanging => {
                sleep(TIMEOUT).await;
                TransportFault::TimedOut
            }
            Mood::Well | Mood::Behind(_) | Mood::Garbled => {
                sleep(LATENCY).await;
                return Ok(match mood {
                    Mood::Garbled => json!({ "nothing": "of this kind" }),
                    Mood::Behind(slots) => self.answer(request, slots),
                    _ => self.answer(request, 0),
                });
            }
        };
        sleep(LATENCY).await;
        Err(ClientError::new_with_request(ClientErrorKind::Middleware(fault.into()), request))
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        "fake".into()
    }
}

/// Endpoints that are watched over, and what is behind them.
pub struct Fleet {
    pub endpoints: Arc<Endpoints>,
    pub senders: Vec<Arc<FakeSender>>,
    line: Dependency,
}

pub fn fleet<const N: usize>(labels: [&str; N]) -> Fleet {
    fleet_of(labels.map(|label| (label, false)), EndpointsSettings::default())
}

/// Labels, and who is for emergencies.
pub fn fleet_of<const N: usize>(labels: [(&str, bool); N], settings: EndpointsSettings) -> Fleet {
    let line = HealthBoard::default().dependency("solana-rpc", 3);
    let settings = EndpointsSettings { line: line.clone(), ..settings };
    let sender = || FakeSender { born: Instant::now(), mood: Mutex::new(Mood::Well), calls: Mutex::default() };
    let senders: Vec<_> = labels.iter().map(|_| Arc::new(sender())).collect();
    let named = labels.into_iter().zip(&senders).map(|((label, emergency), sender)| {
        let address = EndpointAddress { emergency, ..EndpointAddress::new(label, "unused") };
        (address, Arc::clone(sender) as solana::Sender)
    });
    let endpoints = Endpoints::over(named, settings, Arc::new(Jitter::from_seed(3))).unwrap();
    let endpoints = Arc::new(endpoints);
    tokio::spawn(Arc::clone(&endpoints).watch_over());
    Fleet { endpoints, senders, line }
}

impl Fleet {
    pub async fn ask(&self) -> Result<Answer<Value>, RpcError> {
        #[derive(serde::Deserialize)]
        struct Balance {
            value: u64,
        }
        let params = json!(["address", { "commitment": "confirmed" }]);
        let answer = self.endpoints.ask::<Balance>(RpcRequest::GetBalance, params).await?;
        Ok(Answer { value: json!(answer.value.value), endpoint: answer.endpoint })
    }

    pub fn health(&self, label: &str) -> EndpointHealth {
        self.endpoints.health().into_iter().find(|health| &*health.label == label).unwrap()
    }

    pub fn line(&self) -> HealthState {
        self.line.state()
    }
}
