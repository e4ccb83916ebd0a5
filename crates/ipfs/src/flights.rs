//! Single flight: whoever asks for what is under way already waits for that one.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, pending};
use tokio::task::JoinError;

type Flight<V> = Shared<BoxFuture<'static, V>>;

/// Work under way, by key. What is done is forgotten at once.
pub struct Flights<K, V: Clone> {
    under_way: Mutex<HashMap<K, Flight<V>>>,
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
    /// Waits for the work of that key, and begins it where nobody has. Once begun it is done, whoever gives up waiting: what
    /// it holds meanwhile is never held by work that nobody drives.
    ///
    /// # Panics
    /// Outside a tokio runtime, and where the work itself panics.
    pub async fn join<F>(&self, key: K, begin: impl FnOnce() -> F) -> V
    where
        F: Future<Output = V> + Send + 'static,
    {
        let flight = self.lock().entry(key.clone()).or_insert_with(|| take_off(begin())).clone();
        let value = flight.clone().await;
        let mut under_way = self.lock();
        if under_way.get(&key).is_some_and(|current| current.ptr_eq(&flight)) {
            under_way.remove(&key);
        }
        value
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Flight<V>>> {
        self.under_way.lock().expect("nothing panics while it holds the flights")
    }
}

fn take_off<V: Clone + Send + 'static>(work: impl Future<Output = V> + Send + 'static) -> Flight<V> {
    let task = tokio::spawn(work);
    let landed = async move {
        match task.await.map_err(JoinError::try_into_panic) {
            Ok(value) => value,
            Err(Ok(panic)) => resume_unwind(panic),
            // The runtime is shutting down, and whoever waits with it.
            Err(Err(_cancelled)) => pending().await,
        }
    };
    landed.boxed().shared()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use futures::future::join_all;
    use tokio::sync::Semaphore;
    use tokio::time::timeout;

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
    async fn what_is_begun_is_done_though_nobody_waits_any_more() {
        let (flights, permits) = (Flights::default(), Arc::new(Semaphore::new(1)));
        let held = Arc::clone(&permits);
        let work = move || async move {
            let _permit = held.acquire().await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            7
        };
        assert!(timeout(Duration::from_secs(1), flights.join((), work)).await.is_err());
        assert!(timeout(Duration::from_secs(2), permits.acquire()).await.is_ok());
        assert_eq!(flights.join((), || async { 8 }).await, 7);
    }
}
