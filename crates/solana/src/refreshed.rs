//! A value from the chain that many callers share: fetched when somebody needs it and the last one is too old. Nobody
//! needs it, nothing is fetched.

use std::future::Future;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::RpcError;

/// A failure is shared for so long, so that a crowd behind a dead endpoint does not ask one after the other.
const KEEP_FAILURE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Refreshed<T> {
    keep: Duration,
    last: Mutex<Option<(Instant, Result<T, RpcError>)>>,
}

impl<T: Clone> Refreshed<T> {
    pub(crate) const fn new(keep: Duration) -> Self {
        Self { keep, last: Mutex::const_new(None) }
    }

    /// The shared value; `fetch` runs for one caller at a time while the others wait for its answer.
    pub(crate) async fn get<F>(&self, fetch: F) -> Result<T, RpcError>
    where
        F: Future<Output = Result<T, RpcError>>,
    {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last {
            let keep = if answer.is_ok() { self.keep } else { KEEP_FAILURE };
            if at.elapsed() < keep {
                return answer.clone();
            }
        }
        let answer = fetch.await;
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_fetch_serves_all_until_it_is_too_old() {
        let shared = Refreshed::new(Duration::from_secs(2));
        let fetches = Cell::new(0);
        let fetch = async || {
            shared
                .get(async {
                    fetches.set(fetches.get() + 1);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Ok(fetches.get())
                })
                .await
        };
        let answers = futures::future::join_all((0..10).map(|_| fetch())).await;
        assert!(answers.iter().all(|answer| *answer == Ok(1)));
        tokio::time::advance(Duration::from_millis(2_001)).await;
        assert_eq!(fetch().await, Ok(2));
    }
}
