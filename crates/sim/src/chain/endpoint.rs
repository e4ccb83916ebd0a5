//! How one endpoint is: well, behind, failing, or hanging, by turns.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::dice::Dice;
use crate::weather::Sky;

/// How long an endpoint stays as it is.
const SPELL: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(1));
/// What a call takes there and back.
const LATENCY: (Duration, Duration) = (Duration::from_millis(4), Duration::from_millis(60));
/// While it fails, it does so more often than the weather says.
const OFTENER: f64 = 4.0;

/// An endpoint, as all processes see it.
#[derive(Debug)]
pub struct Server {
    dice: Dice,
    sky: Arc<Sky>,
    spell: Mutex<Spell>,
}

#[derive(Debug, Clone, Copy)]
struct Spell {
    until: Instant,
    lag: u64,
    failing: bool,
}

/// How a call goes.
#[derive(Debug, Clone, Copy)]
pub struct Conduct {
    /// What it takes there and back.
    pub latency: Duration,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answered,
    /// Nothing reaches the endpoint.
    Refused,
    /// The endpoint has trouble of its own.
    Broken,
    /// It asks to be left alone.
    Limited,
    /// It takes effect, and the answer is lost.
    ReplyLost,
    /// It takes effect twice.
    Twice,
}

impl Server {
    /// Well.
    pub fn new(dice: Dice, sky: Arc<Sky>) -> Self {
        let spell = Spell { until: Instant::now(), lag: 0, failing: false };
        Self { dice, sky, spell: Mutex::new(spell) }
    }

    /// How far it is behind, slots.
    pub fn lag(&self) -> u64 {
        self.spell().lag
    }

    /// Whether it leaves out a status that there is.
    pub fn omits_status(&self) -> bool {
        self.sky.strikes(&self.dice, |weather| weather.status_omitted)
    }

    /// How it takes the next call.
    pub fn conduct(&self) -> Conduct {
        let failing = self.spell().failing;
        let often = if failing { OFTENER } else { 1.0 };
        let fails = self.sky.strikes(&self.dice, |weather| (weather.call_fails * often).min(0.9));
        let fates = [Fate::Refused, Fate::Broken, Fate::Limited, Fate::ReplyLost, Fate::ReplyLost, Fate::Twice];
        let fate = if fails { *self.dice.pick(&fates) } else { Fate::Answered };
        Conduct { latency: self.dice.between(LATENCY.0, LATENCY.1), fate }
    }

    fn spell(&self) -> Spell {
        let mut spell = self.lock();
        if self.sky.is_clear() {
            *spell = Spell { lag: spell.lag.min(1), failing: false, ..*spell };
        } else if spell.until <= Instant::now() {
            let behind = self.dice.chance(0.5);
            *spell = Spell {
                until: Instant::now() + self.dice.between(SPELL.0, SPELL.1),
                lag: self.dice.below(if behind { self.sky.weather.longest_lag + 1 } else { 2 }),
                failing: self.dice.chance(0.3),
            };
        }
        *spell
    }

    fn lock(&self) -> MutexGuard<'_, Spell> {
        self.spell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
