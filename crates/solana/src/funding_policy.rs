//! When payers are topped up, as data.

/// How the payers are kept in funds. All amounts in lamports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundingPolicy {
    /// A payer with less signs nothing.
    pub pause_below: u64,
    /// A payer with less is topped up.
    pub top_up_below: u64,
    /// With how much at a time.
    pub top_up: u64,
    /// Most that leaves the treasury within 24 hours, for all payers together.
    pub per_day: u64,
}

/// In SOL: 0.1, 1, 5 and 20.
impl Default for FundingPolicy {
    fn default() -> Self {
        const TENTH: u64 = 100_000_000;
        Self { pause_below: TENTH, top_up_below: 10 * TENTH, top_up: 50 * TENTH, per_day: 200 * TENTH }
    }
}

/// What can be wrong with a funding policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FundingFault {
    /// A payer would pause before anybody thinks of topping it up.
    #[error("payers pause before they are topped up")]
    PauseAboveTopUp,
    /// Nothing would be given.
    #[error("a top-up of nothing")]
    NoTopUp,
    /// A payer that is empty would stay paused after its top-up.
    #[error("a top-up is less than what a payer pauses below")]
    TopUpBelowPause,
    /// No top-up would ever be allowed.
    #[error("a top-up is more than the limit of a day")]
    TopUpAboveDay,
}

impl FundingPolicy {
    /// All that makes no sense in it.
    #[must_use]
    pub fn faults(&self) -> Vec<FundingFault> {
        let checks = [
            (self.pause_below > self.top_up_below, FundingFault::PauseAboveTopUp),
            (self.top_up == 0, FundingFault::NoTopUp),
            (self.top_up > 0 && self.top_up < self.pause_below, FundingFault::TopUpBelowPause),
            (self.top_up > self.per_day, FundingFault::TopUpAboveDay),
        ];
        checks.into_iter().filter_map(|(wrong, fault)| wrong.then_some(fault)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_makes_no_sense_is_found_out() {
        assert_eq!(FundingPolicy::default().faults(), []);
        let policy = |pause_below, top_up_below, top_up, per_day| {
            FundingPolicy { pause_below, top_up_below, top_up, per_day }.faults()
        };
        assert_eq!(policy(2, 1, 0, 0), [FundingFault::PauseAboveTopUp, FundingFault::NoTopUp]);
        assert_eq!(policy(3, 3, 2, 1), [FundingFault::TopUpBelowPause, FundingFault::TopUpAboveDay]);
    }
}
