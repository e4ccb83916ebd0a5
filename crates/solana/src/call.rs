//! One call to one endpoint, from which the pool learns how the endpoint is.

use std::sync::Arc;
use std::time::Duration;

use domain::FailureClass;
use resilience::{Fault, Lease};
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_client::rpc_request::RpcRequest;

use crate::endpoint::Endpoint;
use crate::endpoints::Endpoints;
use crate::rpc_error::RpcError;
use crate::slots::{self, Comparable};

/// How long an endpoint is waited for before somebody else is asked as well: many times what one takes that is well
/// and what one that hangs may cost.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// A result, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The result.
    pub value: T,
    /// Label of the endpoint.
    pub endpoint: Arc<str>,
}

impl Endpoints {
    /// One call, of which `read` makes something. What it cannot read is a failure of the endpoint. Given up on when the
    /// endpoint had its time, the endpoint was too slow.
    pub(crate) async fn call<T: DeserializeOwned, U>(
        &self,
        lease: Lease<Endpoint>,
        request: RpcRequest,
        params: Value,
        read: impl Fn(T) -> Result<U, String>,
    ) -> Result<Answer<U>, RpcError> {
        let kind = Comparable::of(request, &params);
        let endpoint = Arc::clone(lease.endpoint());
        let call = Attended(Some(lease));
        let client = endpoint.client();
        let answer = client.ask(request, params).await.and_then(|answer| {
            if let Some(slot) = slots::context_slot(&answer) {
                endpoint.is_behind(self.tips.lag(kind, slot));
            }
            read(client.parse(request, answer)?).map_err(|what| client.unparsable(request, &what))
        });
        if answer.as_ref().is_err_and(RpcError::is_behind) {
            // It does not say by how much: by a slot at least.
            endpoint.is_behind(endpoint.health().lag.max(1));
        }
        call.ended(answer.as_ref().err());
        Ok(Answer { value: answer?, endpoint: Arc::clone(endpoint.label()) })
    }
}

/// A call that somebody waits for.
struct Attended(Option<Lease<Endpoint>>);

impl Attended {
    fn ended(mut self, error: Option<&RpcError>) {
        match (self.0.take(), error) {
            (Some(lease), Some(error)) => lease.failed(error.fault()),
            (Some(lease), None) => lease.succeeded(),
            (None, _) => {}
        }
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        if let Some(lease) = self.0.take_if(|lease| lease.elapsed() >= PATIENCE) {
            lease.failed(Fault { class: FailureClass::Degraded, code: "rpc-slow".into(), retry_after: None });
        }
    }
}
