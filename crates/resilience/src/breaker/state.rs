//! What a breaker shows of itself.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// A breaker as others see it. It only changes by calls, verdicts and commands; what time alone changes (a rest that is
/// over, an override that expired) is for the reader to see from the instants in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerState {
    /// Where the verdicts have brought it.
    pub position: Position,
    /// A person's word that stands above it, while it has not expired.
    pub overridden: Option<Override>,
    /// How often it went from closed to open.
    pub trips: u64,
}

/// Where the verdicts have brought a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Calls go through.
    Closed,
    /// No call goes through until then; the first one after it is the probe.
    Open {
        /// The rest is over then.
        until: Instant,
    },
    /// One call at a time goes through: the probe.
    HalfOpen {
        /// Whether it is under way.
        probing: bool,
    },
}

/// A person's word. Who and why is on record elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override {
    /// What it does.
    pub kind: OverrideKind,
    /// It has no effect from then on.
    pub until: Instant,
}

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverrideKind {
    /// No call goes through.
    ForcedOpen,
    /// Closed at once and held closed: failures are counted, but open it only afterwards.
    ForcedClosed,
    /// Calls of critical operations go through whatever the position. Those that no other call could follow have no say in
    /// it.
    Bypass,
    /// It rests at least that long when it is open: for an outage known to last.
    ExtendedRest(Duration),
}

impl BreakerState {
    /// The override that has effect at `now`.
    #[must_use]
    pub fn override_at(&self, now: Instant) -> Option<Override> {
        self.overridden.filter(|overridden| now < overridden.until)
    }

    /// Whether a call would go through at `now`, as the probe or as any other. `critical` ones may use a bypass.
    #[must_use]
    pub fn admits(&self, now: Instant, critical: bool) -> bool {
        match self.override_at(now).map(|overridden| overridden.kind) {
            Some(OverrideKind::ForcedOpen) => false,
            Some(OverrideKind::ForcedClosed) => true,
            Some(OverrideKind::Bypass) if critical => true,
            Some(OverrideKind::Bypass | OverrideKind::ExtendedRest(_)) | None => match self.position {
                Position::Closed => true,
                Position::Open { until } => now >= until,
                Position::HalfOpen { probing } => !probing,
            },
        }
    }

    /// The next instant at which time alone may change what [`BreakerState::admits`] says.
    #[must_use]
    pub fn changes_at(&self, now: Instant) -> Option<Instant> {
        let rest = match self.position {
            Position::Open { until } => Some(until).filter(|until| now < *until),
            Position::Closed | Position::HalfOpen { .. } => None,
        };
        [rest, self.override_at(now).map(|overridden| overridden.until)].into_iter().flatten().min()
    }

    /// The word for it at `now`: what `/readyz` and metrics show.
    #[must_use]
    pub fn name(&self, now: Instant) -> &'static str {
        match (self.override_at(now).map(|overridden| overridden.kind), self.position) {
            (Some(OverrideKind::ForcedOpen), _) => "forced-open",
            (Some(OverrideKind::ForcedClosed), _) => "forced-closed",
            (Some(OverrideKind::Bypass), _) => "bypass",
            (Some(OverrideKind::ExtendedRest(_)) | None, position) => position.name(),
        }
    }
}

impl Position {
    const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half-open",
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
