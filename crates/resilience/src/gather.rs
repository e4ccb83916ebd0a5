//! Many callers, one round trip: whatever is queued when a flush returns goes into the next one. There is no timer, so
//! an idle system adds no delay and a busy one shares. Where round trips cost more than a moment's wait, a [`Pace`] makes
//! them fewer.

use std::future::Future;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

struct Call<T, R> {
    item: T,
    reply: oneshot::Sender<R>,
}

/// Gathers the items of concurrent callers into batches. Cheap to share behind an `Arc`; the work ends when the last
/// reference is dropped.
#[derive(Debug)]
pub struct Gather<T, R> {
    calls: mpsc::UnboundedSender<Call<T, R>>,
}

/// How often a flush may begin that has room left. A full one never waits.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// One in so long.
    pub every: Duration,
    /// So many at once after a rest.
    pub burst: u32,
}

impl Pace {
    const NONE: Self = Self { every: Duration::ZERO, burst: 1 };

    /// When a flush might have begun at the latest for one now to be the first after a rest.
    fn rested(self, now: Instant) -> Instant {
        now.checked_sub(self.every * self.burst.saturating_sub(1)).unwrap_or(now)
    }

    /// When the next flush may begin, where one begins now that might have begun at `free`: full ones that did not wait
    /// for that do not add up.
    fn after(self, free: Instant, now: Instant) -> Instant {
        free.clamp(self.rested(now), now) + self.every
    }
}

/// What one flush may hold, how many may run at once, and how often.
#[derive(Debug)]
struct Bounds<T> {
    items: usize,
    weight: usize,
    weigh: fn(&T) -> usize,
    parallel: usize,
    pace: Pace,
}

impl<T: Send + 'static, R: Send + 'static> Gather<T, R> {
    /// One flush at a time of at most `items` items. `flush` answers every item, in order.
    ///
    /// # Panics
    /// Outside a tokio runtime: the gathering runs as a task of its own.
    pub fn new<F, Fut>(items: usize, flush: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<R>> + Send + 'static,
    {
        Self::start(Bounds { items, weight: usize::MAX, weigh: |_| 0, parallel: 1, pace: Pace::NONE }, flush)
    }

    /// As [`Gather::new`], with at most `weight` in one flush as `weigh` has it (a single heavier item still goes).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn weighing<F, Fut>(items: usize, weight: usize, weigh: fn(&T) -> usize, flush: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<R>> + Send + 'static,
    {
        Self::start(Bounds { items, weight, weigh, parallel: 1, pace: Pace::NONE }, flush)
    }

    /// As [`Gather::weighing`], at a pace.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn paced<F, Fut>(items: usize, weight: usize, weigh: fn(&T) -> usize, pace: Pace, flush: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<R>> + Send + 'static,
    {
        Self::start(Bounds { items, weight, weigh, parallel: 1, pace }, flush)
    }

    /// As [`Gather::new`], with up to `parallel` flushes at once, for round trips that are long.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn parallel<F, Fut>(items: usize, parallel: usize, flush: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<R>> + Send + 'static,
    {
        Self::start(Bounds { items, weight: usize::MAX, weigh: |_| 0, parallel, pace: Pace::NONE }, flush)
    }

    fn start<F, Fut>(bounds: Bounds<T>, flush: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<R>> + Send + 'static,
    {
        let (calls, queue) = mpsc::unbounded_channel();
        tokio::spawn(drive(queue, bounds, flush));
        Self { calls }
    }

    /// Hands an item in and waits for its answer.
    ///
    /// # Panics
    /// When the flush itself panicked or answered fewer items than it was given.
    pub async fn call(&self, item: T) -> R {
        let (reply, answer) = oneshot::channel();
        let sent = self.calls.send(Call { item, reply });
        assert!(sent.is_ok(), "the gathering task ended before its callers");
        answer.await.expect("a flush answers every item it is given")
    }
}

async fn drive<T, R, F, Fut>(mut queue: mpsc::UnboundedReceiver<Call<T, R>>, bounds: Bounds<T>, flush: F)
where
    F: Fn(Vec<T>) -> Fut,
    Fut: Future<Output = Vec<R>>,
{
    let mut running = FuturesUnordered::new();
    let mut held = None;
    let mut open = true;
    let mut free = bounds.pace.rested(Instant::now());
    while open || held.is_some() || !running.is_empty() {
        let room = running.len() < bounds.parallel;
        tokio::select! {
            // In this order, so that a run under a seed is the same again.
            biased;
            Some(()) = running.next() => {}
            first = next(&mut held, &mut queue), if room && open => match first {
                None => open = false,
                Some(first) => {
                    // Whoever is about to call gets the chance to: callers are often woken together.
                    tokio::task::yield_now().await;
                    let mut batch = Batch::of(first, &bounds);
                    batch.fill(&mut held, &mut queue, free).await;
                    free = bounds.pace.after(free, Instant::now());
                    let Batch { items, replies, .. } = batch;
                    let answers = flush(items);
                    running.push(async move {
                        for (reply, answer) in replies.into_iter().zip(answers.await) {
                            // A caller that gave up waiting needs no answer.
                            let _ = reply.send(answer);
                        }
                    });
                }
            },
        }
    }
}

async fn next<T, R>(
    held: &mut Option<Call<T, R>>,
    queue: &mut mpsc::UnboundedReceiver<Call<T, R>>,
) -> Option<Call<T, R>> {
    match held.take() {
        Some(call) => Some(call),
        None => queue.recv().await,
    }
}

/// What goes into one flush.
struct Batch<'a, T, R> {
    items: Vec<T>,
    replies: Vec<oneshot::Sender<R>>,
    weight: usize,
    bounds: &'a Bounds<T>,
}

impl<'a, T, R> Batch<'a, T, R> {
    fn of(first: Call<T, R>, bounds: &'a Bounds<T>) -> Self {
        let weight = (bounds.weigh)(&first.item);
        Self { items: vec![first.item], replies: vec![first.reply], weight, bounds }
    }

    /// Takes what is queued, and what comes until that time, within the bounds. What does not fit any more is held for
    /// the next flush.
    async fn fill(
        &mut self,
        held: &mut Option<Call<T, R>>,
        queue: &mut mpsc::UnboundedReceiver<Call<T, R>>,
        until: Instant,
    ) {
        while self.items.len() < self.bounds.items && self.weight < self.bounds.weight {
            let next = match queue.try_recv() {
                Ok(call) => Some(call),
                Err(_) if until <= Instant::now() => None,
                Err(_) => timeout_at(until, queue.recv()).await.ok().flatten(),
            };
            let Some(call) = next else { return };
            let weight = self.weight.saturating_add((self.bounds.weigh)(&call.item));
            if weight > self.bounds.weight {
                *held = Some(call);
                return;
            }
            self.weight = weight;
            self.items.push(call.item);
            self.replies.push(call.reply);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use futures::future::join_all;

    use super::*;

    type Batches = Arc<Mutex<Vec<Vec<u32>>>>;

    /// A flush of 10 ms that doubles numbers and notes its batches.
    fn doubling(
        batches: &Batches,
    ) -> impl Fn(Vec<u32>) -> futures::future::BoxFuture<'static, Vec<u32>> + Send + 'static {
        let batches = Arc::clone(batches);
        move |items| {
            batches.lock().unwrap().push(items.clone());
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                items.into_iter().map(|n| n * 2).collect()
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_during_a_flush_shares_the_next() {
        let batches = Batches::default();
        let gather = Gather::new(100, doubling(&batches));
        let first = gather.call(0);
        let rest = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            join_all((1..=50).map(|n| gather.call(n))).await
        };
        let (first, rest) = tokio::join!(first, rest);
        assert_eq!(first, 0);
        assert_eq!(rest, (1..=50).map(|n| n * 2).collect::<Vec<_>>());
        assert_eq!(batches.lock().unwrap().iter().map(Vec::len).collect::<Vec<_>>(), [1, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn bounds_hold_and_nothing_is_left_behind() {
        let batches = Batches::default();
        let gather = Gather::weighing(10, 100, |n| *n as usize, doubling(&batches));
        let answers = join_all((1..=40).map(|n| gather.call(n))).await;
        assert_eq!(answers.len(), 40);
        for batch in batches.lock().unwrap().iter() {
            assert!(batch.len() <= 10 && batch.iter().sum::<u32>() <= 100, "{batch:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_item_over_the_weight_goes_alone() {
        let batches = Batches::default();
        let gather = Gather::weighing(10, 5, |n| *n as usize, doubling(&batches));
        assert_eq!(join_all([gather.call(9), gather.call(1)]).await, [18, 2]);
        assert_eq!(*batches.lock().unwrap(), [[9], [1]]);
    }

    #[tokio::test(start_paused = true)]
    async fn at_a_pace_the_first_go_at_once_and_the_rest_share() {
        let batches = Batches::default();
        let pace = Pace { every: Duration::from_millis(400), burst: 2 };
        let gather = Gather::paced(100, 100, |_| 1, pace, doubling(&batches));
        let began = tokio::time::Instant::now();
        let each = async |n: u32| {
            tokio::time::sleep(Duration::from_millis(30) * n).await;
            gather.call(n).await;
        };
        join_all((0..=26).map(each)).await;
        assert_eq!(batches.lock().unwrap().iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 12, 13]);
        assert_eq!(began.elapsed(), Duration::from_millis(810));
        tokio::time::sleep(Duration::from_secs(1)).await;
        let again = tokio::time::Instant::now();
        gather.call(0).await;
        gather.call(0).await;
        assert_eq!(again.elapsed(), Duration::from_millis(20), "rested, it is as quick as at first");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_flush_waits_for_no_pace() {
        let batches = Batches::default();
        let pace = Pace { every: Duration::from_mins(1), burst: 1 };
        let gather = Gather::paced(10, 100, |_| 1, pace, doubling(&batches));
        let began = tokio::time::Instant::now();
        join_all((0..30).map(|n| gather.call(n))).await;
        assert_eq!(began.elapsed(), Duration::from_millis(30));
        gather.call(30).await;
        assert!(
            began.elapsed() <= pace.every + Duration::from_millis(40),
            "who comes after three full ones waits for one"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn flushes_run_side_by_side_where_they_may() {
        let batches = Batches::default();
        let gather = Gather::parallel(1, 4, doubling(&batches));
        let started = tokio::time::Instant::now();
        join_all((0..4).map(|n| gather.call(n))).await;
        assert_eq!(started.elapsed(), Duration::from_millis(10));
    }
}
