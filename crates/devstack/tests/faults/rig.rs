//! What all rows of the test need.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use devstack::Stack;
use devstack::faults::{Fault, FaultKind, Faults};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(30);

/// The stack from outside, and its faults.
pub struct Rig {
    pub env: BTreeMap<String, String>,
    pub faults: Arc<Faults>,
    /// Keeps no connection, so that every request makes its own.
    pub http: reqwest::Client,
}

impl Rig {
    pub fn new(stack: &Stack) -> Self {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client of plain HTTP");
        Self { env: stack.env().clone(), faults: Arc::clone(stack.faults()), http }
    }

    pub async fn set(&self, target: &str, kind: FaultKind) -> Result<()> {
        self.faults.set(&Fault::new(target, kind)).await?;
        Ok(())
    }

    pub fn clear(&self, target: &str) -> Result<()> {
        self.faults.clear(Some(target))?;
        Ok(())
    }

    /// How often the only fault of a target has struck.
    pub fn struck(&self, target: &str) -> u64 {
        let report = self.faults.report();
        report.faults.iter().find(|fault| fault.target == target).map_or(0, |fault| fault.struck)
    }

    pub async fn until_struck(&self, target: &str, times: u64) -> Result<()> {
        until(&format!("{target} is struck {times} times"), async || Ok(self.struck(target) >= times)).await
    }
}

/// Asks again and again, until it is so.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await.with_context(|| what.to_owned())? {
        if Instant::now() > deadline {
            bail!("still not so: {what}");
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// What the system said, however deep in an error.
pub fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        next = error.source();
    }
    None
}
