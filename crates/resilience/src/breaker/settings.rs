//! What opens a breaker, and for how long.

use std::time::Duration;

/// When a breaker opens and how long it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it is open before one call may try again.
    pub rest: Duration,
    /// An answer that took longer counts as a failure.
    pub slow: Duration,
}

/// The figures of.
impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 5, rest: Duration::from_secs(30), slow: Duration::from_secs(30) }
    }
}

/// Settings that make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BreakerProblem {
    /// It would be open for ever.
    #[error("a breaker that opens after 0 failures is never closed")]
    NoFailures,
    /// It would never be open.
    #[error("a breaker that rests 0 s is never open")]
    NoRest,
    /// Every answer would be a failure.
    #[error("with a slow limit of 0 s every answer is too slow")]
    NoPatience,
}

impl BreakerSettings {
    /// All that is wrong with them.
    #[must_use]
    pub fn problems(&self) -> Vec<BreakerProblem> {
        let checks = [
            (self.failures == 0, BreakerProblem::NoFailures),
            (self.rest.is_zero(), BreakerProblem::NoRest),
            (self.slow.is_zero(), BreakerProblem::NoPatience),
        ];
        checks.into_iter().filter_map(|(wrong, problem)| wrong.then_some(problem)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_come_at_once() {
        let none = BreakerSettings { failures: 0, rest: Duration::ZERO, slow: Duration::ZERO };
        assert_eq!(none.problems(), [BreakerProblem::NoFailures, BreakerProblem::NoRest, BreakerProblem::NoPatience]);
        assert_eq!(BreakerSettings::default().problems(), []);
    }
}
