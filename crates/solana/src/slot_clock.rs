//! How long a slot takes, learned from the slots at which answers were read: 400 ms by design, and less on faster clusters.

use std::time::Duration;

use tokio::time::Instant;

/// How long a slot takes by design, and at most as far as we are concerned: whoever counts on longer ones waits too long.
pub(crate) const SLOT: Duration = Duration::from_millis(400);
/// The shortest that is believed: an endpoint that catches up runs through its slots.
const SHORTEST: Duration = Duration::from_millis(20);
/// Over how many slots it is measured.
const SPAN: u64 = 8;

/// Measures slots.
#[derive(Debug)]
pub(crate) struct SlotClock {
    since: Option<(u64, Instant)>,
    slot: Duration,
}

impl SlotClock {
    pub(crate) const fn new() -> Self {
        Self { since: None, slot: SLOT }
    }

    /// Notes that this is the newest slot of the cluster.
    pub(crate) fn note(&mut self, newest: u64, now: Instant) {
        let Some((slot, at)) = self.since else {
            self.since = Some((newest, now));
            return;
        };
        let passed = newest.saturating_sub(slot);
        if passed >= SPAN {
            let each = (now - at) / u32::try_from(passed).unwrap_or(u32::MAX);
            self.slot = each.clamp(SHORTEST, SLOT);
            self.since = Some((newest, now));
        }
    }

    /// How long a slot takes.
    pub(crate) const fn slot(&self) -> Duration {
        self.slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_is_as_fast_as_the_cluster_and_never_slower_than_by_design() {
        let (mut clock, start) = (SlotClock::new(), Instant::now());
        assert_eq!(clock.slot(), SLOT);
        clock.note(100, start);
        clock.note(107, start + 70 * MS);
        assert_eq!(clock.slot(), SLOT, "too few to tell");
        clock.note(110, start + 1_000 * MS);
        assert_eq!(clock.slot(), 100 * MS);
        clock.note(90, start + 1_100 * MS);
        clock.note(120, start + 11_000 * MS);
        assert_eq!(clock.slot(), SLOT);
        clock.note(1_000, start + 11_001 * MS);
        assert_eq!(clock.slot(), SHORTEST);
    }
}
