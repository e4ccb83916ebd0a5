//! How often and how patiently each thing is tried, as data: the source document's figures, in [`table`], and what tunes
//! and checks them.

mod problem;
mod table;

use std::fmt;
use std::ops::{Index, IndexMut};
use std::sync::Arc;
use std::time::Duration;

use domain::FailureClass;

pub use self::problem::{PolicyFault, PolicyProblem};
use crate::{Backoff, BackoffPolicy, Jitter};

/// How one thing is tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Tries in all, the first one included.
    pub attempts: u32,
    /// How long one try may take.
    pub wait: Duration,
    /// What lies between two tries.
    pub pauses: BackoffPolicy,
}

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolicyRow {
    /// What is tried.
    pub name: PolicyName,
    /// The requirements it comes from.
    pub requirements: &'static [&'static str],
    /// How.
    pub policy: Policy,
    /// What happens when the last try failed, for people.
    pub escalation: &'static str,
}

/// What is tried: the five classes of failure, and the steps that have figures of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table says what each is")]
pub enum PolicyName {
    TransientNetworkError,
    RateLimiting,
    ServiceDegradation,
    ServiceOutage,
    PermanentFailure,
    IpfsReachable,
    DatabaseHealthy,
    SolanaRpcAvailable,
    ImageUpload,
    MetadataUpload,
    RecordCreation,
    TransactionSubmission,
    Confirmation,
    MetadataAccount,
    ContentReachable,
    GatewayRetrieval,
    PartnerVerification,
    DatabaseConsistency,
    DatabaseConflict,
    DatabaseConnection,
}

/// The table, as this process uses it. Tune a copy by `policies[PolicyName::ImageUpload].attempts = 7`, then look at
/// [`Policies::problems`].
#[derive(Debug, Clone, PartialEq)]
pub struct Policies {
    rows: [PolicyRow; table::ROWS.len()],
}

/// The source document's figures.
impl Default for Policies {
    fn default() -> Self {
        Self { rows: table::ROWS }
    }
}

impl Policies {
    /// Every line, in the order of an operation's life.
    #[must_use]
    pub const fn rows(&self) -> &[PolicyRow] {
        &self.rows
    }

    /// What answers a failure of that class where the step has no figures of its own.
    #[must_use]
    pub fn of_class(&self, class: FailureClass) -> &Policy {
        &self[match class {
            FailureClass::Transient => PolicyName::TransientNetworkError,
            FailureClass::RateLimited => PolicyName::RateLimiting,
            FailureClass::Degraded => PolicyName::ServiceDegradation,
            FailureClass::Outage => PolicyName::ServiceOutage,
            FailureClass::Permanent => PolicyName::PermanentFailure,
        }]
    }

    /// `SOLANA_RETRY_ATTEMPTS`.
    pub const fn set_solana_attempts(&mut self, attempts: u32) {
        self.rows[PolicyName::TransactionSubmission as usize].policy.attempts = attempts;
    }

    /// `SOLANA_TIMEOUT_MS`.
    pub const fn set_solana_wait(&mut self, wait: Duration) {
        self.rows[PolicyName::SolanaRpcAvailable as usize].policy.wait = wait;
        self.rows[PolicyName::TransactionSubmission as usize].policy.wait = wait;
        self.rows[PolicyName::MetadataAccount as usize].policy.wait = wait;
    }

    /// `IPFS_RETRY_ATTEMPTS`.
    pub const fn set_ipfs_attempts(&mut self, attempts: u32) {
        self.rows[PolicyName::ImageUpload as usize].policy.attempts = attempts;
        self.rows[PolicyName::MetadataUpload as usize].policy.attempts = attempts;
    }

    /// All that makes no sense in it.
    #[must_use]
    pub fn problems(&self) -> Vec<PolicyProblem> {
        let faults = |row: &PolicyRow| {
            let policy = row.name;
            row.policy.faults().into_iter().map(move |fault| PolicyProblem { policy, fault })
        };
        self.rows.iter().flat_map(faults).collect()
    }
}

impl Index<PolicyName> for Policies {
    type Output = Policy;

    fn index(&self, name: PolicyName) -> &Policy {
        &self.rows[name as usize].policy
    }
}

impl IndexMut<PolicyName> for Policies {
    fn index_mut(&mut self, name: PolicyName) -> &mut Policy {
        &mut self.rows[name as usize].policy
    }
}

impl Policy {
    /// The pause before the next try after that many failed ones, or `None` where it was the last: for whoever keeps the
    /// count elsewhere, as in a row.
    #[must_use]
    pub fn pause_after(&self, failures: u32, jitter: &Arc<Jitter>) -> Option<Duration> {
        let mut pauses = Backoff::new(self.pauses, Arc::clone(jitter));
        (failures < self.attempts).then(|| (0..failures).fold(Duration::ZERO, |_, _| pauses.next_pause()))
    }

    /// The pauses between all its tries, without their jitter: for people.
    #[must_use]
    pub fn schedule(&self) -> Vec<Duration> {
        let plain = BackoffPolicy { jitter: 0.0, ..self.pauses };
        let mut pauses = Backoff::new(plain, Arc::new(Jitter::from_seed(0)));
        (1..self.attempts).map(|_| pauses.next_pause()).collect()
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests;
