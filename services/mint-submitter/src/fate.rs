//! What becomes of an attempt, as far as it can be told without asking the chain.

use std::time::Duration;

use domain::{Attempt, DecidedAttempt, Failure, FailureClass, Verdict};
use solana::{OnChainError, OnChainErrorKind, SendOutcome};

/// How long a status is waited for before the same bytes are sent again.
const RESEND_AFTER: Duration = Duration::from_secs(2);
/// The same where an endpoint tried it out and did not pass it on: it is tried again for as long as it can land.
const RETRY_PREFLIGHT_AFTER: Duration = Duration::from_secs(8);

/// What the sends of one attempt have come to so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sends {
    /// An endpoint took it: from then on a preflight would only tell that it landed.
    pub taken: bool,
    /// The cluster has it in a block that is not confirmed yet: it need not be sent again.
    pub seen: bool,
    /// What the last preflight failed with.
    pub preflight_error: Option<OnChainError>,
}

impl Sends {
    pub fn note(&mut self, outcome: &SendOutcome) {
        match outcome {
            SendOutcome::Accepted | SendOutcome::AlreadyProcessed => self.taken = true,
            SendOutcome::FailedPreflight { error, .. } => self.preflight_error = Some(error.clone()),
            SendOutcome::BlockhashNotFound(_)
            | SendOutcome::Behind(_)
            | SendOutcome::RateLimited(_)
            | SendOutcome::NotReached(_)
            | SendOutcome::MayHaveLanded(_) => {}
        }
    }
}

/// An attempt that can no longer mint anything, and how that came.
pub(crate) struct Ended {
    /// The verdict.
    pub decided: DecidedAttempt,
    /// From that slot on the chain state shows what it did.
    pub slot: u64,
    /// What it failed with, on chain or in every preflight.
    pub error: Option<OnChainError>,
    /// Whether it counts: what no endpoint ever took, for reasons of its own, says nothing
    /// of the operation.
    pub counts: bool,
}

impl Ended {
    pub fn expired(attempt: &Attempt, sends: Sends) -> Self {
        let decided = DecidedAttempt { signature: attempt.signature, verdict: Verdict::Expired };
        let Sends { taken, preflight_error, .. } = sends;
        let error = preflight_error.filter(|_| !taken);
        let of_its_own = |error: &OnChainError| match error.kind {
            OnChainErrorKind::AlreadyThere | OnChainErrorKind::NoUnits | OnChainErrorKind::Hopeless => true,
            OnChainErrorKind::NoFunds | OnChainErrorKind::Passing => false,
        };
        Self { decided, slot: 0, counts: taken || error.as_ref().is_some_and(of_its_own), error }
    }

    pub fn failed(attempt: &Attempt, slot: u64, error: OnChainError) -> Self {
        let decided = DecidedAttempt { signature: attempt.signature, verdict: Verdict::FailedOnChain };
        Self { decided, slot, counts: error.kind != OnChainErrorKind::NoFunds, error: Some(error) }
    }

    fn reason(&self) -> String {
        match &self.error {
            Some(error) => error.to_string(),
            None => "no block took it while it was valid".to_owned(),
        }
    }

    /// It would end the same way for ever.
    pub fn hopeless(&self) -> Failure {
        Failure::permanent("program-error", self.reason())
    }

    /// It was tried often enough for a person to look at it.
    pub fn exhausted(&self, signed: u32) -> Failure {
        let reason =
            format!("{signed} transactions were signed and none minted it, the last one because: {}", self.reason());
        Failure::new(FailureClass::Transient, "mint-attempts-exhausted", reason)
    }
}

/// How long the status is waited for after a send.
pub(crate) fn patience(outcome: &SendOutcome) -> Duration {
    match outcome {
        SendOutcome::FailedPreflight { .. } | SendOutcome::BlockhashNotFound(_) => RETRY_PREFLIGHT_AFTER,
        SendOutcome::Accepted
        | SendOutcome::AlreadyProcessed
        | SendOutcome::Behind(_)
        | SendOutcome::RateLimited(_)
        | SendOutcome::NotReached(_)
        | SendOutcome::MayHaveLanded(_) => RESEND_AFTER,
    }
}
