//! Fresh work and retry work: the second must not crowd out the first.

use domain::Record;

use crate::dead_letter::REPLAY_COUNT;
use crate::tries::Tries;

/// Header of a request that was published from its row, with the reason.
pub(crate) const FROM_ROW: &str = "x-from-row";

/// Which of the two a try is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// What was never tried.
    Fresh,
    /// What came to nothing before: a later try in its lane, and what was published again from its row or from the dead
    /// letters.
    Retry,
}

impl Work {
    /// What a record's next try is, after those that failed in its lane.
    pub(crate) fn of(record: &Record, tries: &Tries) -> Self {
        let again = [FROM_ROW, REPLAY_COUNT].into_iter().any(|header| record.header(header).is_some());
        if again || tries.failed() > 0 { Self::Retry } else { Self::Fresh }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use domain::{Header, header};
    use resilience::Jitter;

    use super::*;

    fn work(headers: Vec<Header>, failed: u32) -> Work {
        let mut tries = Tries::new(Arc::new(Jitter::from_seed(1)));
        (0..failed).for_each(|_| tries.note(DateTime::UNIX_EPOCH));
        let topic = "nft-mint-requests".into();
        Work::of(&Record { topic, partition: 0, offset: 0, timestamp: None, key: None, value: None, headers }, &tries)
    }

    #[test]
    fn what_came_to_nothing_before_is_retry_work() {
        assert_eq!(work(vec![header("traceparent", "00-…")], 0), Work::Fresh);
        assert_eq!(work(vec![], 1), Work::Retry);
        assert_eq!(work(vec![header(FROM_ROW, "due")], 0), Work::Retry);
        assert_eq!(work(vec![header(REPLAY_COUNT, "1")], 0), Work::Retry);
    }
}
