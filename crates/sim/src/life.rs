//! The life of one process: at every moment it may die, or fall asleep and wake up to a world that went on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;
use crate::timeline::Timeline;
use crate::weather::Sky;

const SHORTEST_SLEEP: Duration = Duration::from_secs(1);

/// One process, from its start to its death. Whatever it does to the world goes through [`Life::moment`].
#[derive(Debug)]
pub struct Life {
    /// What it is called.
    pub name: Arc<str>,
    /// Chance, as far as this process is concerned.
    pub dice: Dice,
    /// The weather.
    pub sky: Arc<Sky>,
    /// What happened.
    pub timeline: Timeline,
    died: CancellationToken,
    asleep_until: Mutex<Option<Instant>>,
}

impl Life {
    /// Begins.
    #[must_use]
    pub fn begin(name: &str, seed: u64, sky: Arc<Sky>, timeline: Timeline) -> Arc<Self> {
        let life = Self {
            dice: Dice::of(seed, name),
            name: name.into(),
            sky,
            timeline,
            died: CancellationToken::new(),
            asleep_until: Mutex::default(),
        };
        life.note("starts");
        Arc::new(life)
    }

    /// A moment at which the process may die, or fall asleep. Whoever is dead never comes back from it.
    pub async fn moment(&self) {
        self.awake().await;
        if self.sky.strikes(&self.dice, |weather| weather.crash) {
            self.die();
        } else if self.sky.strikes(&self.dice, |weather| weather.sleep) {
            let sleep = self.dice.between(SHORTEST_SLEEP, self.sky.weather.longest_sleep);
            self.note(format!("falls asleep for {sleep:?}"));
            self.sleep(sleep);
        }
        self.awake().await;
    }

    /// Waits while the process sleeps; for ever once it is dead.
    pub async fn awake(&self) {
        while !self.died.is_cancelled() {
            match self.asleep_until() {
                Some(until) => sleep_until(until).await,
                None => return,
            }
        }
        std::future::pending::<()>().await;
    }

    /// Nothing that it does has an effect any more.
    pub fn die(&self) {
        if !self.died.is_cancelled() {
            self.note("dies");
            self.died.cancel();
        }
    }

    /// Stands still for so long, all of it.
    pub fn sleep(&self, time: Duration) {
        *self.asleep_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + time);
    }

    /// Ready once it is dead.
    pub async fn died(&self) {
        self.died.cancelled().await;
    }

    /// Notes what it does.
    pub fn note(&self, what: impl Into<String>) {
        self.timeline.note(&self.name, None, what);
    }

    fn asleep_until(&self) -> Option<Instant> {
        self.asleep_until.lock().unwrap_or_else(PoisonError::into_inner).filter(|until| Instant::now() < *until)
    }
}
