//! The breaker's transitions, fed with time.

use tokio::time::Instant;

use super::{BreakerSettings, BreakerState, Override, OverrideKind, Position};

/// What a permit is known by: the round it was given in, if its verdict counts at all.
pub(super) type Round = Option<u64>;

/// Why no permit is given: open until then, or, without an instant, for as long as the probe is under way.
pub(super) type Refusal = Option<Instant>;

#[derive(Debug)]
pub(super) struct Machine {
    settings: BreakerSettings,
    phase: Phase,
    /// Raised by every change of phase: a verdict on a call of an earlier round says nothing about this one.
    round: u64,
    overridden: Option<Override>,
    trips: u64,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { failures: u32 },
    Open { since: Instant },
    HalfOpen { probing: bool },
}

impl Machine {
    pub(super) const fn new(settings: BreakerSettings) -> Self {
        Self { settings, phase: Phase::Closed { failures: 0 }, round: 0, overridden: None, trips: 0 }
    }

    pub(super) fn state(&self) -> BreakerState {
        let position = match self.phase {
            Phase::Closed { .. } => Position::Closed,
            Phase::Open { since } => Position::Open { until: self.rested(since) },
            Phase::HalfOpen { probing } => Position::HalfOpen { probing },
        };
        BreakerState { position, overridden: self.overridden, trips: self.trips }
    }

    pub(super) fn admit(&mut self, now: Instant, critical: bool) -> Result<Round, Refusal> {
        match self.state().override_at(now) {
            Some(Override { kind: OverrideKind::ForcedOpen, until }) => Err(Some(until)),
            // The verdict on a call that only the bypass lets through does not count.
            Some(Override { kind: OverrideKind::Bypass, .. }) if critical => self.admit_unforced(now).or(Ok(None)),
            // What is forced closed was closed by it, and does not open.
            Some(_) | None => self.admit_unforced(now),
        }
    }

    fn admit_unforced(&mut self, now: Instant) -> Result<Round, Refusal> {
        match self.phase {
            Phase::Closed { .. } => {}
            Phase::Open { since } if now < self.rested(since) => return Err(Some(self.rested(since))),
            Phase::Open { .. } => self.enter(Phase::HalfOpen { probing: true }),
            Phase::HalfOpen { probing: false } => self.phase = Phase::HalfOpen { probing: true },
            Phase::HalfOpen { probing: true } => return Err(None),
        }
        Ok(Some(self.round))
    }

    pub(super) fn succeeded(&mut self, round: Round) {
        if round == Some(self.round) {
            match self.phase {
                Phase::Closed { .. } => self.phase = Phase::Closed { failures: 0 },
                Phase::HalfOpen { .. } => self.enter(Phase::Closed { failures: 0 }),
                Phase::Open { .. } => {}
            }
        }
    }

    pub(super) fn failed(&mut self, round: Round, now: Instant) {
        if round == Some(self.round) {
            match self.phase {
                Phase::Closed { failures } => self.count(failures.saturating_add(1), now),
                Phase::HalfOpen { .. } => self.enter(Phase::Open { since: now }),
                Phase::Open { .. } => {}
            }
        }
    }

    /// A call ended without a verdict: if it was the probe, another may be.
    pub(super) fn given_back(&mut self, round: Round) {
        if round == Some(self.round)
            && let Phase::HalfOpen { .. } = self.phase
        {
            self.phase = Phase::HalfOpen { probing: false };
        }
    }

    pub(super) fn probed_well(&mut self) {
        if let Phase::Open { .. } = self.phase {
            self.enter(Phase::HalfOpen { probing: false });
        }
    }

    pub(super) fn probed_badly(&mut self, now: Instant) {
        if let Phase::Closed { failures } = self.phase {
            self.count(failures.saturating_add(1), now);
        }
    }

    pub(super) fn set_override(&mut self, overridden: Option<Override>) {
        self.overridden = overridden;
        if let Some(Override { kind: OverrideKind::ForcedClosed, .. }) = overridden {
            self.enter(Phase::Closed { failures: 0 });
        }
    }

    fn count(&mut self, failures: u32, now: Instant) {
        let held_closed =
            matches!(self.state().override_at(now), Some(Override { kind: OverrideKind::ForcedClosed, .. }));
        if failures >= self.settings.failures && !held_closed {
            self.trips += 1;
            self.enter(Phase::Open { since: now });
        } else {
            self.phase = Phase::Closed { failures };
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.round += 1;
    }

    /// When a rest that began at `since` is over. An extended one ends with its override, but no sooner than a plain one.
    fn rested(&self, since: Instant) -> Instant {
        let plain = since + self.settings.rest;
        match self.overridden {
            Some(Override { kind: OverrideKind::ExtendedRest(rest), until }) => plain.max(until.min(since + rest)),
            Some(_) | None => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const SETTINGS: BreakerSettings =
        BreakerSettings { failures: 3, rest: Duration::from_secs(30), slow: Duration::from_secs(30) };

    #[derive(Debug, Clone)]
    enum Step {
        Admit { critical: bool },
        Succeeded(usize),
        Failed(usize),
        GivenBack(usize),
        ProbedWell,
        ProbedBadly,
        Pass(Duration),
        Force(Option<OverrideKind>, Duration),
    }

    fn seconds() -> impl Strategy<Value = Duration> {
        (0_u64..45).prop_map(Duration::from_secs)
    }

    /// Everything but forcing it closed, which ends a round under its probe.
    fn step() -> impl Strategy<Value = Step> {
        let kind = prop_oneof![
            Just(OverrideKind::ForcedOpen),
            Just(OverrideKind::Bypass),
            seconds().prop_map(OverrideKind::ExtendedRest)
        ];
        prop_oneof![
            6 => any::<bool>().prop_map(|critical| Step::Admit { critical }),
            2 => (0_usize..8).prop_map(Step::Succeeded),
            5 => (0_usize..8).prop_map(Step::Failed),
            2 => (0_usize..8).prop_map(Step::GivenBack),
            1 => Just(Step::ProbedWell),
            1 => Just(Step::ProbedBadly),
            4 => seconds().prop_map(Step::Pass),
            1 => (prop::option::of(kind), seconds()).prop_map(|(kind, lasts)| Step::Force(kind, lasts)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// A permit given while the breaker is not closed is a probe, unless a bypass gave it. However calls, verdicts and
        /// time are mixed there is never a second one, and none while it is to rest.
        #[test]
        fn never_two_probes_and_none_while_it_rests(steps in prop::collection::vec(step(), 1..120)) {
            let mut machine = Machine::new(SETTINGS);
            let mut now = Instant::now();
            let mut calls: Vec<(Round, bool)> = Vec::new();
            for step in steps {
                match step {
                    Step::Admit { critical } => {
                        let before = machine.state();
                        let given = machine.admit(now, critical);
                        prop_assert_eq!(given.is_ok(), before.admits(now, critical));
                        let Ok(round) = given else { continue };
                        let probe = before.position != Position::Closed && round.is_some();
                        calls.push((round, probe));
                        prop_assert!(calls.iter().filter(|(_, probe)| *probe).count() <= 1);
                        if let (true, Position::Open { until }) = (probe, before.position) {
                            prop_assert!(now >= until);
                        }
                    }
                    Step::Succeeded(call) if call < calls.len() => machine.succeeded(calls.swap_remove(call).0),
                    Step::Failed(call) if call < calls.len() => machine.failed(calls.swap_remove(call).0, now),
                    Step::GivenBack(call) if call < calls.len() => machine.given_back(calls.swap_remove(call).0),
                    Step::Succeeded(_) | Step::Failed(_) | Step::GivenBack(_) => {}
                    Step::ProbedWell => machine.probed_well(),
                    Step::ProbedBadly => machine.probed_badly(now),
                    Step::Pass(time) => now += time,
                    Step::Force(kind, lasts) => {
                        machine.set_override(kind.map(|kind| Override { kind, until: now + lasts }));
                    }
                }
                // It never hangs half-open: a probe is under way only while somebody holds its permit.
                let held = calls.iter().any(|(_, probe)| *probe);
                prop_assert_eq!(machine.state().position == Position::HalfOpen { probing: true }, held);
            }
        }
    }
}
