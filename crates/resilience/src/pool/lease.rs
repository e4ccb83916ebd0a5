//! Leave for one call to one endpoint.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Endpoint, Fault, Traffic};
use crate::Permit;

/// Leave for one call to one endpoint, begun now. Judge it by what came of the call; dropped unjudged (a call cancelled
/// half-way), it says nothing of the endpoint.
#[derive(Debug)]
#[must_use = "a lease is for a call, and wants to hear how it went"]
pub struct Lease<T> {
    endpoint: Arc<Endpoint<T>>,
    traffic: Traffic,
    permit: Option<Permit>,
    began: Instant,
}

impl<T> Lease<T> {
    pub(super) fn new(endpoint: Arc<Endpoint<T>>, traffic: Traffic, permit: Permit) -> Self {
        let began = Instant::now();
        endpoint.vitals().called(began);
        Self { endpoint, traffic, permit: Some(permit), began }
    }

    /// What to call.
    #[must_use]
    pub fn client(&self) -> &T {
        self.endpoint.client()
    }

    /// What it is called: put it on the list of those already tried.
    #[must_use]
    pub fn label(&self) -> &Arc<str> {
        self.endpoint.label()
    }

    /// Where the call goes.
    #[must_use]
    pub const fn endpoint(&self) -> &Arc<Endpoint<T>> {
        &self.endpoint
    }

    /// How long the call has taken.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// It was answered well.
    pub fn succeeded(mut self) {
        let elapsed = self.elapsed();
        self.endpoint.vitals().succeeded(elapsed, Instant::now());
        if let Some(permit) = self.permit.take() {
            permit.succeeded(elapsed);
        }
    }

    /// It failed.
    pub fn failed(mut self, fault: Fault) {
        if let Some(permit) = self.permit.take() {
            permit.failed(fault.class);
        }
        self.endpoint.note(fault, self.traffic);
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        self.endpoint.vitals().ended();
    }
}
