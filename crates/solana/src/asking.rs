//! A call, and where it goes: to the best endpoint there is, to the next one where that fails, and nowhere while all are
//! out.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use resilience::{Backoff, BackoffPolicy, Call, NoEndpoint, Traffic};
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_client::rpc_request::RpcRequest;
use tokio::time::timeout;

use crate::call::{Answer, PATIENCE};
use crate::endpoints::Endpoints;
use crate::rpc_error::{RpcError, RpcErrorKind};

/// What is read is read for many operations at once, critical ones among them.
const READ: Call = Traffic::Read.critical();
/// Pauses once every endpoint has failed in a row.
const PAUSES: BackoffPolicy =
    BackoffPolicy { first: Duration::from_millis(200), factor: 2.0, cap: Duration::from_secs(4), jitter: 0.2 };

impl Endpoints {
    /// Asks one endpoint after the other until one answers, pausing when every one has failed. Where one takes long, the
    /// next one is asked beside it. While all are out nobody is asked.
    ///
    /// # Errors
    /// The first refusal that would be repeated anywhere, or the last failure; [`RpcErrorKind::NotAsked`] where no call
    /// was made.
    pub async fn ask<T: DeserializeOwned>(&self, request: RpcRequest, params: Value) -> Result<Answer<T>, RpcError> {
        self.ask_for(request, params, Ok).await
    }

    /// As [`Endpoints::ask`], for an answer that `read` makes something of. What it cannot read is a failure of the
    /// endpoint.
    ///
    /// # Errors
    /// Likewise.
    pub(crate) async fn ask_for<T: DeserializeOwned, U>(
        &self,
        request: RpcRequest,
        params: Value,
        read: impl Fn(T) -> Result<U, String>,
    ) -> Result<Answer<U>, RpcError> {
        let answer = self.ask_in_turn(request, params, read).await;
        self.tell(answer.as_ref().err());
        answer
    }

    async fn ask_in_turn<T: DeserializeOwned, U>(
        &self,
        request: RpcRequest,
        params: Value,
        read: impl Fn(T) -> Result<U, String>,
    ) -> Result<Answer<U>, RpcError> {
        let mut pauses = Backoff::new(PAUSES, Arc::clone(&self.jitter));
        let (mut attempts, mut tried, mut last) = (0, Vec::new(), None);
        let mut under_way = FuturesUnordered::new();
        loop {
            if attempts < self.attempts {
                let idle = under_way.is_empty();
                let next = if idle { self.pool.acquire(READ, &tried).await } else { self.pool.pick(READ, &tried) };
                match (next, last.take()) {
                    (Ok(lease), _) => {
                        attempts += 1;
                        tried.push(Arc::clone(lease.label()));
                        under_way.push(self.call(lease, request, params.clone(), &read));
                    }
                    (Err(_), earlier) if !idle => last = earlier,
                    (Err(NoEndpoint::AllTried), Some(error)) => {
                        tokio::time::sleep(pauses.next_pause()).await;
                        tried.clear();
                        last = Some(error);
                        continue;
                    }
                    (Err(NoEndpoint::AllOut { .. } | NoEndpoint::Busy { .. }), Some(error)) => return Err(error),
                    (Err(none), None) => return Err(RpcError::not_asked(request, none)),
                }
            }
            match timeout(PATIENCE, under_way.next()).await {
                Ok(Some(Ok(answer))) => return Ok(answer),
                Ok(Some(Err(error))) if !error.elsewhere() => return Err(error),
                Ok(Some(Err(error))) => last = Some(error),
                // Nobody has answered yet: somebody else is asked as well.
                Ok(None) | Err(_) => {}
            }
            if let Some(error) = last.take_if(|_| under_way.is_empty() && attempts >= self.attempts) {
                return Err(error);
            }
        }
    }

    /// Asks that endpoint, or nobody.
    ///
    /// # Errors
    /// [`RpcErrorKind::NotAsked`] where it is out, or is for emergencies and there is none.
    pub(crate) async fn ask_one<T: DeserializeOwned, U>(
        &self,
        endpoint: &Arc<str>,
        request: RpcRequest,
        params: Value,
        read: impl Fn(T) -> Result<U, String>,
    ) -> Result<Answer<U>, RpcError> {
        let labels = self.pool.endpoints().map(|other| other.label());
        let others: Vec<_> = labels.filter(|label| *label != endpoint).cloned().collect();
        let lease = self.pool.acquire(READ, &others).await;
        let lease = lease.map_err(|none| RpcError::not_asked(request, none))?;
        self.call(lease, request, params, read).await
    }

    /// Writes down how the chain as a whole answered.
    pub(crate) fn tell(&self, error: Option<&RpcError>) {
        match error.map(RpcError::fault) {
            None => self.line.good(),
            Some(fault) => self.line.failed(fault.class, fault.code),
        }
    }
}

impl RpcError {
    pub(crate) fn not_asked(request: RpcRequest, none: NoEndpoint) -> Self {
        Self::new(&"any endpoint".into(), request, RpcErrorKind::NotAsked(none))
    }
}
