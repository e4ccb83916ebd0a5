//! While the payer is out of funds nothing is signed: what is signed in vain has to expire before it is over.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{Failure, FailureClass};
use tokio::time::Instant;

/// How long a lack of funds is believed before somebody tries again.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct PayerPause(Mutex<Option<Instant>>);

impl PayerPause {
    /// The payer turned out to have too little.
    pub fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
    }

    /// Whether anything may be signed now.
    pub fn check(&self) -> Result<(), Failure> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_some_and(|until| Instant::now() < until) {
            Err(out_of_funds("nothing is signed now"))
        } else {
            Ok(())
        }
    }
}

pub(crate) fn out_of_funds(detail: impl std::fmt::Display) -> Failure {
    Failure::new(FailureClass::Outage, "payer-out-of-funds", format!("the payer has to be topped up: {detail}"))
}
