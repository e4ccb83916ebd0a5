//! What is paid for a place in a block, as data.

/// How much a transaction offers for a compute unit. The offer follows what others paid of late, and is raised only where
/// a transaction is signed anew: the one before was worth too little. All prices in micro-lamports a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeePolicy {
    /// Most that is ever offered.
    pub cap: u64,
    /// The going price: so many per cent of the recent slots took transactions for it or less.
    pub percentile: u8,
    /// The least that is offered where a transaction is signed anew for the first time.
    pub floor_anew: u64,
    /// By how much the offer grows with each time that is signed anew.
    pub factor: f64,
}

impl Default for FeePolicy {
    fn default() -> Self {
        Self { cap: 1_000_000, percentile: 75, floor_anew: 10_000, factor: 2.0 }
    }
}

/// What can be wrong with a fee policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeeFault {
    /// No such share of the slots.
    #[error("the percentile is a number from 1 to 100")]
    Percentile,
    /// The offer would fall, or grow beyond measure.
    #[error("the price has to grow by a factor from 1 to 100")]
    Factor,
    /// The floor could never be offered.
    #[error("the floor is above the cap")]
    FloorAboveCap,
}

impl FeePolicy {
    /// For whoever signs nothing.
    pub const NOTHING: Self = Self { cap: 0, percentile: 100, floor_anew: 0, factor: 1.0 };

    /// All that makes no sense in it.
    #[must_use]
    pub fn faults(&self) -> Vec<FeeFault> {
        let checks = [
            (!(1..=100).contains(&self.percentile), FeeFault::Percentile),
            (!(1.0..=100.0).contains(&self.factor), FeeFault::Factor),
            (self.floor_anew > self.cap, FeeFault::FloorAboveCap),
        ];
        checks.into_iter().filter_map(|(wrong, fault)| wrong.then_some(fault)).collect()
    }

    /// The price of a compute unit where the going price is `going`, for an operation that was signed so many times
    /// before.
    #[must_use]
    pub fn price(&self, going: u64, signed_before: u32) -> u64 {
        let offer = match signed_before {
            0 => going,
            again => grown(going, self.factor, again).max(grown(self.floor_anew, self.factor, again - 1)),
        };
        offer.min(self.cap)
    }

    /// The going price of recent slots; nothing where nobody paid, or nothing is known.
    pub(crate) fn going(&self, mut recent: Vec<u64>) -> u64 {
        recent.sort_unstable();
        let index = recent.len().saturating_sub(1) * usize::from(self.percentile) / 100;
        recent.get(index).copied().unwrap_or(0)
    }
}

/// Grows by the factor so many times: a float has room for every price, and what is beyond it is above any cap.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "prices are far below 2^53, and a float that is too large becomes the largest integer"
)]
fn grown(price: u64, factor: f64, times: u32) -> u64 {
    let times = i32::try_from(times).unwrap_or(i32::MAX);
    (price as f64 * factor.powi(times)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_going_price_is_the_percentile_and_nothing_where_nobody_paid() {
        let policy = FeePolicy::default();
        assert_eq!(policy.going(vec![]), 0);
        assert_eq!(policy.going(vec![7]), 7);
        assert_eq!(policy.going((1..=101).rev().collect()), 76);
        assert_eq!(FeePolicy { percentile: 100, ..policy }.going((1..=101).collect()), 101);
        assert_eq!(FeePolicy { percentile: 1, ..policy }.going((1..=101).collect()), 2);
    }

    #[test]
    fn only_signing_anew_raises_the_price_and_never_above_the_cap() {
        let policy = FeePolicy { cap: 50_000, ..FeePolicy::default() };
        let prices = |going| [0, 1, 2, 3, 100, u32::MAX].map(|before| policy.price(going, before));
        assert_eq!(prices(0), [0, 10_000, 20_000, 40_000, 50_000, 50_000]);
        assert_eq!(prices(9_000), [9_000, 18_000, 36_000, 50_000, 50_000, 50_000]);
        assert_eq!(policy.price(u64::MAX, 0), 50_000);
        assert_eq!(FeePolicy { factor: 1.5, ..policy }.price(20_000, 1), 30_000);
        assert_eq!(FeePolicy::NOTHING.price(9_000, 3), 0);
    }

    #[test]
    fn a_policy_that_makes_no_sense_is_found_out() {
        assert_eq!(FeePolicy::default().faults(), []);
        assert_eq!(FeePolicy::NOTHING.faults(), []);
        let nonsense = FeePolicy { cap: 1, percentile: 0, floor_anew: 2, factor: f64::NAN };
        assert_eq!(nonsense.faults(), [FeeFault::Percentile, FeeFault::Factor, FeeFault::FloorAboveCap]);
        assert_eq!(FeePolicy { factor: 0.5, ..FeePolicy::default() }.faults(), [FeeFault::Factor]);
    }
}
