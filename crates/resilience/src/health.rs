//! What is known of the dependencies, for `/readyz`, `status` and the checks before a mint: whoever talks to a
//! dependency, or probes it, writes here what came of it; nobody makes a call to read it.

use std::borrow::Cow;
use std::sync::Arc;

use domain::FailureClass;
use tokio::sync::watch;
use tokio::time::Instant;

/// The health of every dependency. Cheap to clone; clones are the same board.
#[derive(Debug, Clone)]
pub struct HealthBoard(watch::Sender<Vec<DependencyHealth>>);

/// One dependency's line on the board, to write on.
#[derive(Debug, Clone)]
pub struct Dependency {
    board: HealthBoard,
    name: Arc<str>,
}

/// What is known of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyHealth {
    /// Its name.
    pub name: Arc<str>,
    /// How it is.
    pub state: HealthState,
    /// Since when it is so.
    pub since: Instant,
    /// When it last answered well.
    pub last_good: Option<Instant>,
    /// Its last failure, however long ago.
    pub last_failure: Option<LastFailure>,
    /// Failures since it last answered well.
    pub failures: u32,
    /// That many make it [`HealthState::Down`].
    pub tries: u32,
}

/// A failure as the board keeps it. Its message is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFailure {
    /// Its class.
    pub class: FailureClass,
    /// Its code.
    pub code: Cow<'static, str>,
    /// When.
    pub at: Instant,
}

/// How a dependency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthState {
    /// Nobody has heard of it yet.
    Unknown,
    /// The last answer was good.
    Healthy,
    /// It failed lately, but not yet often enough in a row.
    Degraded,
    /// It failed as often in a row as it is tried.
    Down,
}

impl HealthState {
    /// The name in `/readyz` and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

impl Default for HealthBoard {
    fn default() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }
}

impl HealthBoard {
    /// A line for that dependency, down after `tries` failures in a row. A name that is there already keeps what is
    /// known of it.
    #[must_use]
    pub fn dependency(&self, name: impl Into<Arc<str>>, tries: u32) -> Dependency {
        let name = name.into();
        self.0.send_if_modified(|lines| {
            let new = lines.iter().all(|line| line.name != name);
            if new {
                lines.push(DependencyHealth::unknown(Arc::clone(&name), tries));
            }
            new
        });
        Dependency { board: self.clone(), name }
    }

    /// Every line, in the order they were made.
    #[must_use]
    pub fn snapshot(&self) -> Vec<DependencyHealth> {
        self.0.borrow().clone()
    }

    /// Wakes on every change of a state, not on every answer.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Vec<DependencyHealth>> {
        self.0.subscribe()
    }
}

impl Dependency {
    /// It answered well.
    pub fn good(&self) {
        self.change(|line, now| {
            line.failures = 0;
            line.last_good = Some(now);
            HealthState::Healthy
        });
    }

    /// It failed. Whoever refuses for good or limits our rate is there: such failures say nothing of its health.
    pub fn failed(&self, class: FailureClass, code: impl Into<Cow<'static, str>>) {
        let code = code.into();
        self.change(|line, now| {
            line.last_failure = Some(LastFailure { class, code, at: now });
            match class {
                FailureClass::Permanent | FailureClass::RateLimited => line.state,
                FailureClass::Transient | FailureClass::Degraded | FailureClass::Outage => {
                    line.failures = line.failures.saturating_add(1);
                    if line.failures >= line.tries { HealthState::Down } else { HealthState::Degraded }
                }
            }
        });
    }

    /// How it is.
    #[must_use]
    pub fn state(&self) -> HealthState {
        let lines = self.board.0.borrow();
        lines.iter().find(|line| line.name == self.name).map_or(HealthState::Unknown, |line| line.state)
    }

    fn change(&self, change: impl FnOnce(&mut DependencyHealth, Instant) -> HealthState) {
        self.board.0.send_if_modified(|lines| {
            let Some(line) = lines.iter_mut().find(|line| line.name == self.name) else { return false };
            let now = Instant::now();
            let (before, after) = (line.state, change(line, now));
            if before != after {
                (line.state, line.since) = (after, now);
            }
            before != after
        });
    }
}

impl DependencyHealth {
    fn unknown(name: Arc<str>, tries: u32) -> Self {
        Self {
            name,
            state: HealthState::Unknown,
            since: Instant::now(),
            last_good: None,
            last_failure: None,
            failures: 0,
            tries,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn down_after_as_many_failures_as_it_is_tried() {
        let board = HealthBoard::default();
        let database = board.dependency("database", 2);
        assert_eq!(database.state(), HealthState::Unknown);
        database.good();
        advance(Duration::from_secs(5)).await;
        database.failed(FailureClass::Outage, "refused");
        assert_eq!(database.state(), HealthState::Degraded);
        advance(Duration::from_secs(5)).await;
        database.failed(FailureClass::Outage, "refused");
        let down = Instant::now();
        advance(Duration::from_secs(5)).await;
        database.failed(FailureClass::Transient, "timeout");

        let [line] = board.snapshot().try_into().unwrap();
        assert_eq!((line.state, line.since, line.failures), (HealthState::Down, down, 3));
        assert_eq!(line.last_good, Some(down - Duration::from_secs(10)));
        assert_eq!(line.last_failure.unwrap().code, "timeout");
        database.good();
        assert_eq!(database.state(), HealthState::Healthy);
    }

    #[tokio::test(start_paused = true)]
    async fn who_refuses_is_there() {
        let board = HealthBoard::default();
        let pinata = board.dependency("ipfs-pinata", 1);
        pinata.good();
        pinata.failed(FailureClass::Permanent, "bad-request");
        pinata.failed(FailureClass::RateLimited, "429");
        assert_eq!(pinata.state(), HealthState::Healthy);
        assert_eq!(board.snapshot()[0].last_failure.as_ref().unwrap().code, "429");
    }

    #[tokio::test(start_paused = true)]
    async fn watchers_wake_on_changes_alone() {
        let board = HealthBoard::default();
        let (rpc, kafka) = (board.dependency("solana-rpc", 3), board.dependency("kafka", 3));
        let mut watch = board.watch();
        rpc.good();
        assert!(watch.has_changed().unwrap());
        watch.mark_unchanged();
        rpc.good();
        assert!(!watch.has_changed().unwrap());
        kafka.failed(FailureClass::Transient, "timeout");
        assert!(watch.has_changed().unwrap());
        // A second handle on a line changes nothing of it.
        assert_eq!(board.dependency("kafka", 1).state(), HealthState::Degraded);
        assert_eq!(board.snapshot().len(), 2);
    }
}
