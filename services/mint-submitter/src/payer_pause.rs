//! While a payer is out of funds nothing is signed for it: what is signed in vain has to expire before it is over. The
//! operations of the other payers go on.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Failure, FailureClass};
use solana::Pubkey;
use tokio::time::Instant;

/// How long a lack of funds is believed before somebody tries again.
const PAUSE: Duration = Duration::from_secs(10);

/// Until when each payer is believed to have too little.
#[derive(Debug, Default)]
pub(crate) struct PayerPauses(Mutex<HashMap<Pubkey, Instant>>);

impl PayerPauses {
    /// That payer turned out to have too little.
    pub fn begin(&self, payer: Pubkey) {
        self.lock().insert(payer, Instant::now() + PAUSE);
    }

    /// Whether anything may be signed for that payer now.
    pub fn check(&self, payer: Pubkey) -> Result<(), Failure> {
        let until = self.lock().get(&payer).copied();
        if until.is_some_and(|until| Instant::now() < until) {
            Err(out_of_funds(payer, "nothing is signed for it now"))
        } else {
            Ok(())
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Pubkey, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn out_of_funds(payer: Pubkey, detail: impl std::fmt::Display) -> Failure {
    let message = format!("the payer {payer} has to be topped up: {detail}");
    Failure::new(FailureClass::Outage, "payer-out-of-funds", message)
}
