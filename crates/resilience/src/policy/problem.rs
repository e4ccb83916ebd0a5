//! Policies that make no sense.

use super::{Policy, PolicyName};

/// What is wrong with a line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{policy}: {fault}")]
pub struct PolicyProblem {
    /// The line.
    pub policy: PolicyName,
    /// What is wrong.
    pub fault: PolicyFault,
}

/// What can be wrong with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// It would never be tried.
    #[error("0 attempts")]
    NoAttempts,
    /// No try could succeed.
    #[error("a try may take 0 s")]
    NoWait,
    /// It would be tried in a loop.
    #[error("no pause before the second try")]
    NoPause,
    /// Pauses would shrink from the first to the second.
    #[error("the longest pause is shorter than the first")]
    CapBelowFirst,
    /// Pauses would shrink, or grow beyond measure.
    #[error("pauses have to grow by a factor of 1 or more")]
    Factor,
    /// Pauses would be negative.
    #[error("jitter is a share from 0 to 1")]
    Jitter,
}

impl Policy {
    /// All that makes no sense in it.
    #[must_use]
    pub fn faults(&self) -> Vec<PolicyFault> {
        let pauses = &self.pauses;
        let checks = [
            (self.attempts == 0, PolicyFault::NoAttempts),
            (self.wait.is_zero(), PolicyFault::NoWait),
            (self.attempts > 1 && pauses.first.is_zero(), PolicyFault::NoPause),
            (pauses.cap < pauses.first, PolicyFault::CapBelowFirst),
            (!pauses.factor.is_finite() || pauses.factor < 1.0, PolicyFault::Factor),
            (!(0.0..=1.0).contains(&pauses.jitter), PolicyFault::Jitter),
        ];
        checks.into_iter().filter_map(|(wrong, fault)| wrong.then_some(fault)).collect()
    }
}
