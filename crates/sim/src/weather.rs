//! What goes wrong in a run, how often, and until when.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::dice::Dice;

/// How often each thing goes wrong. Shares are per occasion.
#[derive(Debug, Clone, PartialEq)]
pub struct Weather {
    /// A process dies at a moment: before or after a statement, a record, a call.
    pub crash: f64,
    /// A process falls asleep at a moment,
    pub sleep: f64,
    /// for at most so long.
    pub longest_sleep: Duration,
    /// A statement fails, before it was run or after.
    pub statement_fails: f64,
    /// A record is not acknowledged, and perhaps written all the same.
    pub record_unacknowledged: f64,
    /// A partition's owner changes for no reason, at each look of a member at its group.
    pub rebalance: f64,
    /// A call to an endpoint fails, before it took effect or after.
    pub call_fails: f64,
    /// A signature has no status although there is one.
    pub status_omitted: f64,
    /// A transaction that landed is denied by every endpoint for a while.
    pub status_hidden: f64,
    /// How far an endpoint can be behind, slots.
    pub longest_lag: u64,
    /// A transaction that an endpoint took is never seen by a leader.
    pub transaction_dropped: f64,
    /// A transaction lands late: at any time up to its last valid block, or just past it.
    pub transaction_late: f64,
    /// A fork takes the last blocks away, at each slot.
    pub fork: f64,
    /// An event of the API comes twice.
    pub event_twice: f64,
    /// A person fails an operation that nothing was signed for, at each look (every 5 s).
    pub failed_by_hand: f64,
    /// How long all this lasts.
    pub lasts: Duration,
}

impl Weather {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn fair() -> Self {
        Self {
            crash: 0.0,
            sleep: 0.0,
            longest_sleep: Duration::ZERO,
            statement_fails: 0.0,
            record_unacknowledged: 0.0,
            rebalance: 0.0,
            call_fails: 0.0,
            status_omitted: 0.0,
            status_hidden: 0.0,
            longest_lag: 2,
            transaction_dropped: 0.0,
            transaction_late: 0.0,
            fork: 0.0,
            event_twice: 0.0,
            failed_by_hand: 0.0,
            lasts: Duration::from_secs(20),
        }
    }

    /// Everything goes wrong, each thing as often as the seed's dice say.
    #[must_use]
    pub fn of(dice: &Dice) -> Self {
        let often = |most: f64| f64::from(u32::try_from(dice.below(5)).unwrap_or(0)) / 4.0 * most;
        Self {
            crash: often(0.002),
            sleep: often(0.001),
            longest_sleep: Duration::from_secs(20 + dice.below(200)),
            statement_fails: often(0.04),
            record_unacknowledged: often(0.04),
            rebalance: often(0.01),
            call_fails: often(0.15),
            status_omitted: often(0.2),
            status_hidden: often(0.1),
            longest_lag: 2 + dice.below(120),
            transaction_dropped: often(0.5),
            transaction_late: often(0.5),
            fork: often(0.02),
            event_twice: often(0.3),
            failed_by_hand: often(0.02),
            lasts: Duration::from_secs(90 + dice.below(240)),
        }
    }
}

/// The weather now: bad until it clears up for good, so that everything has to come to its end.
#[derive(Debug)]
pub struct Sky {
    /// While it is bad.
    pub weather: Weather,
    clear: AtomicBool,
}

impl Sky {
    /// Bad from the start.
    #[must_use]
    pub const fn new(weather: Weather) -> Self {
        Self { weather, clear: AtomicBool::new(false) }
    }

    /// From now on nothing goes wrong.
    pub fn clears_up(&self) {
        self.clear.store(true, Ordering::Relaxed);
    }

    /// Whether nothing goes wrong any more.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.clear.load(Ordering::Relaxed)
    }

    /// Whether a thing goes wrong now that does so as often as `share` says.
    #[must_use]
    pub fn strikes(&self, dice: &Dice, share: impl FnOnce(&Weather) -> f64) -> bool {
        !self.is_clear() && dice.chance(share(&self.weather))
    }
}
