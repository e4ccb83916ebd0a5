//! Single flight: whoever asks for what is under way already waits for that one.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

/// Work under way, by key. What is done is forgotten at once.
pub struct Flights<K, V: Clone> {
    under_way: Mutex<HashMap<K, Shared<BoxFuture<'static, V>>>>,
}

impl<K, V: Clone> fmt::Debug for Flights<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

impl<K, V: Clone> Default for Flights<K, V> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone + Send + Sync + 'static> Flights<K, V> {
    /// Waits for the work of that key, and begins it where nobody has. It moves while anybody waits for it.
    pub async fn join<F>(&self, key: K, begin: impl FnOnce() -> F) -> V
    where
        F: Future<Output = V> + Send + 'static,
    {
        let flight = self.lock().entry(key.clone()).or_insert_with(|| begin().boxed().shared()).clone();
        let value = flight.clone().await;
        let mut under_way = self.lock();
        if under_way.get(&key).is_some_and(|current| current.ptr_eq(&flight)) {
            under_way.remove(&key);
        }
        value
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Shared<BoxFuture<'static, V>>>> {
        self.under_way.lock().expect("nothing panics while it holds the flights")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn concurrent_callers_share_and_later_ones_begin_anew() {
        let (flights, begun) = (Flights::default(), Arc::new(AtomicU32::new(0)));
        let ask = || {
            let begun = Arc::clone(&begun);
            flights.join("key", move || async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                begun.fetch_add(1, Ordering::Relaxed)
            })
        };
        assert_eq!(join_all((0..1000).map(|_| ask())).await, vec![0; 1000]);
        assert_eq!(ask().await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_does_not_end_it_for_the_others() {
        let flights = Flights::default();
        let work = || async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            7
        };
        let first = tokio::time::timeout(Duration::from_secs(1), flights.join((), work));
        let (first, second) = tokio::join!(first, flights.join((), work));
        assert!(first.is_err());
        assert_eq!(second, 7);
    }
}
