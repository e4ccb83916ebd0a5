//! Many callers, one round trip: whatever is queued when a flush returns goes into the next one. There is no timer, so
//! an idle system adds no delay and a busy one shares.

use std::future::Future;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};

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

/// What one flush may hold and how many may run at once.
#[derive(Debug)]
struct Bounds<T> {
    items: usize,
    weight: usize,
    weigh: fn(&T) -> usize,
    parallel: usize,
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
        Self::start(Bounds { items, weight: usize::MAX, weigh: |_| 0, parallel: 1 }, flush)
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
        Self::start(Bounds { items, weight, weigh, parallel: 1 }, flush)
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
        Self::start(Bounds { items, weight: usize::MAX, weigh: |_| 0, parallel }, flush)
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
                    let (items, replies) = fill(first, &mut held, &mut queue, &bounds);
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

/// Takes what is queued now, within the bounds. What does not fit any more is held for the next flush.
fn fill<T, R>(
    first: Call<T, R>,
    held: &mut Option<Call<T, R>>,
    queue: &mut mpsc::UnboundedReceiver<Call<T, R>>,
    bounds: &Bounds<T>,
) -> (Vec<T>, Vec<oneshot::Sender<R>>) {
    let mut weight = (bounds.weigh)(&first.item);
    let (mut items, mut replies) = (vec![first.item], vec![first.reply]);
    while items.len() < bounds.items
        && let Ok(call) = queue.try_recv()
    {
        weight = weight.saturating_add((bounds.weigh)(&call.item));
        if weight > bounds.weight {
            *held = Some(call);
            break;
        }
        items.push(call.item);
        replies.push(call.reply);
    }
    (items, replies)
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
    async fn flushes_run_side_by_side_where_they_may() {
        let batches = Batches::default();
        let gather = Gather::parallel(1, 4, doubling(&batches));
        let started = tokio::time::Instant::now();
        join_all((0..4).map(|n| gather.call(n))).await;
        assert_eq!(started.elapsed(), Duration::from_millis(10));
    }
}
