//! A moving average that fades.

use std::time::Duration;

use tokio::time::Instant;

/// Weighs the last values, the more the longer nothing came before them. As an expectation it fades to 0 while there is no
/// news.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ewma {
    weight: f64,
    memory: Duration,
    last: Option<(f64, Instant)>,
}

impl Ewma {
    /// An average in which a new value weighs at least `weight`, and of which a third is left after `memory`.
    pub(super) const fn new(weight: f64, memory: Duration) -> Self {
        Self { weight, memory, last: None }
    }

    pub(super) fn add(&mut self, value: f64, now: Instant) {
        let average = match self.last {
            Some((average, since)) => average + self.weight.max(1.0 - self.kept(since, now)) * (value - average),
            None => value,
        };
        self.last = Some((average, now));
    }

    /// The average, faded by the time that passed.
    pub(super) fn at(&self, now: Instant) -> f64 {
        self.last.map_or(0.0, |(average, since)| average * self.kept(since, now))
    }

    /// The share that is left of what was known.
    fn kept(&self, since: Instant, now: Instant) -> f64 {
        (-now.saturating_duration_since(since).div_duration_f64(self.memory)).exp()
    }

    /// The average as the last value left it.
    pub(super) fn last(&self) -> Option<f64> {
        self.last.map(|(average, _)| average)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_its_values_and_fades() {
        let (mut average, start) = (Ewma::new(0.2, Duration::from_secs(30)), Instant::now());
        assert!(average.at(start).abs() < 1e-9);
        average.add(10.0, start);
        average.add(20.0, start);
        assert!((average.at(start) - 12.0).abs() < 1e-9);
        let later = start + Duration::from_secs(30);
        assert!((average.at(later) - 12.0 / std::f64::consts::E).abs() < 1e-9);
        assert_eq!(average.last(), Some(12.0));
        average.add(12.0, later);
        assert_eq!(average.last(), Some(12.0), "fading is no value");
        average.add(50.0, later + Duration::from_hours(1));
        assert_eq!(average.last(), Some(50.0), "what is long ago weighs nothing");
    }
}
