//! Questions that a broker cannot answer only for the moment.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(200);

/// Asks again while the one who is asked is not in charge yet, or any more: a broker that is starting, a topic that is new,
/// a leader or a coordinator that moved. librdkafka asks by itself while it knows of nobody, and gives up where the one it
/// knows says no. `ask` is told how much of `within` is left.
pub(crate) fn patiently<T>(within: Duration, ask: impl Fn(Duration) -> KafkaResult<T>) -> KafkaResult<T> {
    let until = Instant::now() + within;
    loop {
        let answer = ask(until.saturating_duration_since(Instant::now()));
        let passes = answer.as_ref().is_err_and(passes);
        if !passes || Instant::now() + PAUSE >= until {
            return answer;
        }
        thread::sleep(PAUSE);
    }
}

fn passes(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        CoordinatorLoadInProgress, CoordinatorNotAvailable, LeaderNotAvailable, NotCoordinator, NotLeaderForPartition,
    };
    let passing =
        [CoordinatorLoadInProgress, CoordinatorNotAvailable, LeaderNotAvailable, NotCoordinator, NotLeaderForPartition];
    error.rdkafka_error_code().is_some_and(|code| passing.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use RDKafkaErrorCode::{CoordinatorLoadInProgress, GroupAuthorizationFailed, NotCoordinator};

    use super::*;

    const WITHIN: Duration = Duration::from_mins(1);

    /// Asks of a broker that answers with these errors first; says how often it was asked.
    fn asked(errors: &[RDKafkaErrorCode], within: Duration) -> (KafkaResult<()>, usize) {
        let times = Cell::new(0);
        let answer = patiently(within, |_| {
            let error = errors.get(times.replace(times.get() + 1));
            error.map_or(Ok(()), |code| Err(KafkaError::MetadataFetch(*code)))
        });
        (answer, times.get())
    }

    #[test]
    fn who_is_not_in_charge_yet_is_asked_again() {
        assert_eq!(asked(&[NotCoordinator, CoordinatorLoadInProgress], WITHIN), (Ok(()), 3));
        let refused = KafkaError::MetadataFetch(GroupAuthorizationFailed);
        assert_eq!(asked(&[NotCoordinator, GroupAuthorizationFailed], WITHIN), (Err(refused), 2));
        let gone = KafkaError::MetadataFetch(NotCoordinator);
        assert_eq!(asked(&[NotCoordinator; 3], PAUSE), (Err(gone), 1), "no longer than it may take");
    }
}
