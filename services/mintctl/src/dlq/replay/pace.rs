//! How fast, and when to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Reads `20/s`, `0.5/s` or a bare number.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.strip_suffix("/s").unwrap_or(text).parse().ok();
    let sensible = number.filter(|number| (0.001..=1_000_000.0).contains(number));
    sensible.ok_or_else(|| "a rate such as 20/s is wanted, from 0.001/s to 1000000/s".to_owned())
}

/// Lets letters through at a rate: an even stream, no bursts.
pub struct Pace(Option<Mutex<Interval>>);

impl Pace {
    /// At most so many a second; without a limit where none is given.
    pub fn new(rate: Option<f64>) -> Self {
        Self(rate.map(|rate| {
            let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            Mutex::new(ticks)
        }))
    }

    /// Ready when the next may begin.
    pub async fn wait(&self) {
        if let Some(ticks) = &self.0 {
            ticks.lock().await.tick().await;
        }
    }
}

/// Whether somebody asked to stop.
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C from now on: the first ends the run in order, the second at once.
    pub fn listen() -> Self {
        let came = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&came);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                eprintln!("finishing what is under way; once more to end at once");
                seen.store(true, Ordering::Relaxed);
                tokio::signal::ctrl_c().await.ok();
                std::process::exit(130);
            }
        });
        Self(came)
    }

    /// Whether it came.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Stops for another reason.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn rates_are_read() {
        assert_eq!(parse_rate("20/s"), Ok(20.0));
        assert_eq!(parse_rate("0.5"), Ok(0.5));
        for wrong in ["", "/s", "0", "-1/s", "20/m", "NaN", "inf", "1e-9/s"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_without_bursts() {
        let (pace, start) = (Pace::new(Some(10.0)), Instant::now());
        for _ in 0..11 {
            pace.wait().await;
        }
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(5)).await;
        let resumed = Instant::now();
        for _ in 0..11 {
            pace.wait().await;
        }
        assert_eq!(resumed.elapsed(), Duration::from_secs(1), "the time that passed is not made up for");
    }
}
