//! Workers that come and go while records are worked off, and what must hold of all of them together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::Delivery;
use tokio::sync::watch;

use super::Worker;

/// What was worked on, in order, and by whom.
pub type Seen = Arc<Mutex<Vec<(&'static str, Delivery)>>>;

/// Key of records that are in hand for as long as their partitions are: nobody finishes them.
pub const STUCK: &str = "stuck";

pub fn value(delivery: &Delivery) -> usize {
    String::from_utf8(delivery.record.value.clone().unwrap()).unwrap().parse().unwrap()
}

/// Works its records off by threes, the last one first, and writes down what it saw, until it is told to stop.
pub async fn work(mut worker: Worker, name: &'static str, seen: Seen, mut over: watch::Receiver<bool>) -> Worker {
    let mut open = Vec::new();
    loop {
        let delivery = tokio::select! {
            delivery = worker.deliveries.recv() => delivery,
            _ = over.wait_for(|over| *over) => None,
        };
        let Some(delivery) = delivery else { return worker };
        if delivery.record.key.as_deref() != Some(STUCK.as_bytes()) {
            seen.lock().unwrap().push((name, delivery.clone()));
            open.push(delivery);
        }
        if open.len() == 3 || worker.deliveries.is_empty() {
            open.reverse();
            worker.finish(&open);
            open.clear();
        }
        // Work takes its time: workers are to be in the middle of it.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Every key had the records 0 to `each`, none before the one before it; that some came twice does no harm.
pub fn assert_complete_and_in_order(seen: &Seen, keys: usize, each: usize) {
    let mut next = BTreeMap::new();
    for (_, delivery) in seen.lock().unwrap().iter() {
        let next = next.entry(delivery.record.key.clone()).or_insert(0);
        let n = value(delivery);
        assert!(n <= *next, "{n} came before {next}");
        *next = (*next).max(n + 1);
    }
    assert!(next.len() == keys && next.values().all(|next| *next == each), "{next:?}");
}
