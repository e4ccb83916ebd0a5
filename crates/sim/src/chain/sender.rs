//! What a process calls an endpoint through: `solana-client`'s own seam, where HTTP would be.
#![expect(clippy::result_large_err, reason = "it is the client's own error type")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use resilience::Jitter;
use serde_json::Value;
use solana::{EndpointAddress, Endpoints, EndpointsError, EndpointsSettings, Sender, TransportFault};
use solana_client::client_error::{ClientError, ClientErrorKind};
use solana_client::rpc_request::RpcRequest;
use solana_client::rpc_sender::{RpcSender, RpcTransportStats};
use tokio::time::sleep;

use super::endpoint::Fate;
use super::{Chain, ENDPOINTS};
use crate::life::Life;

/// After which the HTTP client gives up.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long an endpoint asks to be left alone.
const LEFT_ALONE: Duration = Duration::from_secs(2);

struct SimSender {
    chain: Arc<Chain>,
    endpoint: usize,
    life: Arc<Life>,
}

/// The endpoints as one process has them.
///
/// # Errors
/// Never, as they are.
pub fn endpoints(chain: &Arc<Chain>, life: &Arc<Life>, seed: u64) -> Result<Arc<Endpoints>, EndpointsError> {
    let senders = (0..ENDPOINTS).map(|endpoint| {
        let sender = SimSender { chain: Arc::clone(chain), endpoint, life: Arc::clone(life) };
        (EndpointAddress::new(format!("rpc-{endpoint}"), "simulated"), Arc::new(sender) as Sender)
    });
    let settings = EndpointsSettings { attempts: 3, ..EndpointsSettings::default() };
    Endpoints::over(senders, settings, Arc::new(Jitter::from_seed(seed))).map(Arc::new)
}

impl SimSender {
    async fn call(&self, request: RpcRequest, params: &Value) -> Result<Value, ClientErrorKind> {
        let conduct = self.chain.conduct(self.endpoint);
        sleep(conduct.latency / 2).await;
        let fault = |fault: TransportFault| Err(ClientErrorKind::Middleware(fault.into()));
        match conduct.fate {
            Fate::Refused => return fault(TransportFault::Refused("nobody there".into())),
            Fate::Broken => return fault(TransportFault::Status { status: 502, retry_after: None }),
            Fate::Limited => return fault(TransportFault::RateLimited { retry_after: Some(LEFT_ALONE) }),
            Fate::Answered | Fate::ReplyLost | Fate::Twice => {}
        }
        let mut answer = self.answer(request, params);
        if conduct.fate == Fate::Twice {
            answer = self.answer(request, params);
        }
        if conduct.fate == Fate::ReplyLost {
            let hangs = self.life.dice.chance(0.5);
            sleep(if hangs { TIMEOUT } else { conduct.latency / 2 }).await;
            return fault(if hangs { TransportFault::TimedOut } else { TransportFault::Broken("reset".into()) });
        }
        sleep(conduct.latency / 2).await;
        answer
    }

    fn answer(&self, request: RpcRequest, params: &Value) -> Result<Value, ClientErrorKind> {
        self.chain.ask(self.endpoint, &mut self.chain.ledger()).answer(request, params)
    }
}

#[async_trait]
impl RpcSender for SimSender {
    async fn send(&self, request: RpcRequest, params: Value) -> Result<Value, ClientError> {
        self.life.moment().await;
        let answer = self.call(request, &params).await;
        self.life.moment().await;
        answer.map_err(|kind| ClientError::new_with_request(kind, request))
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        format!("rpc-{}", self.endpoint)
    }
}
