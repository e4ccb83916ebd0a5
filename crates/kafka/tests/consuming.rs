//! The consumer against a real broker.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use common::working::{Seen, assert_complete_and_in_order, work};
use common::{Ground, eventually, publish, within};
use engine::{Delivery, Window};
use tokio::sync::watch;

const NARROW: Window = Window { records: 50, bytes: 16 << 20 };

fn offsets(deliveries: &[Delivery]) -> BTreeMap<i32, Vec<i64>> {
    let mut offsets = BTreeMap::<_, Vec<_>>::new();
    for delivery in deliveries {
        offsets.entry(delivery.record.partition).or_default().push(delivery.record.offset);
    }
    offsets
}

#[tokio::test]
async fn a_window_that_fills_and_empties_skips_and_doubles_nothing() -> Result<()> {
    let ground = Ground::new("window", 2).await?;
    let records = (0..1_500).flat_map(|n| [0, 1].map(|partition| (partition, n)));
    publish(&ground.producer()?, records.map(|(partition, n)| ground.record_at(partition, &n.to_string()))).await?;
    let mut worker = ground.worker(NARROW)?;
    let (mut received, mut open) = (Vec::new(), Vec::new());
    while received.len() + open.len() < 3_000 {
        open.push(worker.next().await?);
        assert!(worker.assignment.in_hand() <= 100, "the window was overrun: {}", worker.assignment.in_hand());
        let full = |partition| open.iter().filter(|d: &&Delivery| d.record.partition == partition).count() == 50;
        if full(0) || full(1) {
            worker.finish(&open);
            received.append(&mut open);
        }
    }
    worker.finish(&open);
    received.append(&mut open);
    let all: Vec<i64> = (0..1_500).collect();
    assert_eq!(offsets(&received), BTreeMap::from([(0, all.clone()), (1, all)]));
    ground.committed(|lag| lag.committed == Some(1_500)).await?;
    within("the consumer leaves", worker.handle.close()).await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebalance_in_full_flight_loses_nothing_and_keeps_the_order_of_keys() -> Result<()> {
    const KEYS: usize = 60;
    const EACH: usize = 40;
    let ground = Ground::new("rebalance", 6).await?;
    let producer = ground.producer()?;
    let seen = Seen::default();
    let count = |seen: &Seen| seen.lock().unwrap().len();
    let publish_each = async |range: std::ops::Range<usize>| {
        for n in range {
            publish(&producer, (0..KEYS).map(|key| ground.record(&format!("key-{key}"), &n.to_string()))).await?;
        }
        anyhow::Ok(())
    };
    let (end, over) = watch::channel(false);
    let first = tokio::spawn(work(ground.worker(NARROW)?, "first", seen.clone(), over.clone()));
    publish_each(0..EACH / 2).await?;
    eventually("the first works", async || Ok(count(&seen) > 100)).await?;
    let second = tokio::spawn(work(ground.worker(NARROW)?, "second", seen.clone(), over));
    publish_each(EACH / 2..EACH).await?;
    ground.committed(|lag| lag.committed == Some(lag.end)).await?;
    end.send_replace(true);
    for worker in [first.await?, second.await?] {
        within("the consumer leaves", worker.handle.close()).await??;
    }

    let workers: BTreeSet<_> = seen.lock().unwrap().iter().map(|(name, _)| *name).collect();
    assert_eq!(workers.len(), 2, "both had their share");
    assert_complete_and_in_order(&seen, KEYS, EACH);
    Ok(())
}

#[tokio::test]
async fn a_partition_that_was_paused_comes_back_unpaused() -> Result<()> {
    let ground = Ground::new("comeback", 2).await?;
    let records = (0..200).flat_map(|n| [0, 1].map(|partition| (partition, n)));
    publish(&ground.producer()?, records.map(|(partition, n)| ground.record_at(partition, &n.to_string()))).await?;
    let mut first = ground.worker(NARROW)?;
    // Both partitions are paused: 50 of each are in hand, nothing of them finished.
    first.take(100).await?;
    let mut second = ground.worker(NARROW)?;
    let moved = second.take(50).await?;
    assert_eq!(offsets(&moved).values().collect::<Vec<_>>(), [&(0..50).collect::<Vec<i64>>()]);
    let partition = moved[0].record.partition;
    within("the consumer leaves", second.handle.close()).await??;
    let again = first.take(50).await?;
    assert_eq!(offsets(&again), BTreeMap::from([(partition, (0..50).collect())]));
    first.finish(&again);
    let rest = first.take(50).await?;
    assert_eq!(offsets(&rest), BTreeMap::from([(partition, (50..100).collect())]));
    Ok(())
}

#[tokio::test]
async fn held_work_takes_nothing_keeps_its_partitions_and_goes_on_where_it_was() -> Result<()> {
    let ground = Ground::new("held", 4).await?;
    let producer = ground.producer()?;
    let all = |range: std::ops::Range<usize>| {
        let ground = &ground;
        range
            .flat_map(|n| (0..4).map(move |partition| (partition, n)))
            .map(|(p, n)| ground.record_at(p, &n.to_string()))
    };
    publish(&producer, all(0..10)).await?;
    let mut first = ground.worker(Window::default())?;
    let mut taken = first.take(40).await?;
    first.assignment.hold(true);
    // What is on its way may still come.
    publish(&producer, all(10..11)).await?;
    first.turned().await?;
    while let Ok(late) = first.deliveries.try_recv() {
        taken.push(late);
    }
    publish(&producer, all(11..20)).await?;

    // Another one comes while it is held, and goes: what comes back is paused as well.
    let mut second = ground.worker(Window { records: 1, bytes: 16 << 20 })?;
    second.next().await?;
    within("the consumer leaves", second.handle.close()).await??;
    eventually("all partitions are back", async || Ok(first.assignment.partitions().len() == 4)).await?;
    first.turned().await?;
    assert_eq!(first.deliveries.try_recv().ok(), None, "a held consumer handed out a record");

    first.finish(&taken);
    first.assignment.hold(false);
    let mut seen = offsets(&taken);
    while seen.values().any(|offsets| offsets.last() != Some(&19)) {
        let delivery = first.next().await?;
        seen.entry(delivery.record.partition).or_default().push(delivery.record.offset);
    }
    for offsets in seen.values() {
        let distinct: BTreeSet<_> = offsets.iter().copied().collect();
        assert_eq!(distinct, (0..20).collect());
    }
    Ok(())
}

#[tokio::test]
async fn closing_commits_what_is_finished_and_nothing_else() -> Result<()> {
    let ground = Ground::new("closing", 1).await?;
    publish(&ground.producer()?, (0..100).map(|n| ground.record_at(0, &n.to_string()))).await?;
    let mut first = ground.worker(Window::default())?;
    let taken = first.take(100).await?;
    first.finish(&taken[..40]);
    first.finish(&taken[41..]);
    within("the consumer leaves", first.handle.close()).await??;
    assert_eq!(ground.lag().await?[0].committed, Some(40));
    // It said goodbye: its partitions are free at once.
    let mut second = ground.worker(Window::default())?;
    let again = second.take(60).await?;
    assert_eq!(offsets(&again)[&0], (40..100).collect::<Vec<i64>>());
    Ok(())
}

#[tokio::test]
async fn a_draining_consumer_hands_out_nothing_but_commits() -> Result<()> {
    let ground = Ground::new("draining", 2).await?;
    let producer = ground.producer()?;
    let both = |range: std::ops::Range<usize>| {
        let ground = &ground;
        range.flat_map(|n| [0, 1].map(|partition| (partition, n))).map(|(p, n)| ground.record_at(p, &n.to_string()))
    };
    publish(&producer, both(0..10)).await?;
    let mut first = ground.worker(Window::default())?;
    let mut taken = first.take(20).await?;
    first.handle.stop_fetching();
    // Whatever was on its way at that moment may still come; then comes nothing.
    publish(&producer, both(10..20)).await?;
    first.finish(&taken);
    ground.committed(|lag| lag.committed >= Some(10)).await?;
    while let Ok(late) = first.deliveries.try_recv() {
        taken.push(late);
    }
    first.turned().await?;
    within("the consumer leaves", first.handle.close()).await??;
    assert_eq!(first.deliveries.recv().await, None);
    let finished: i64 = ground.lag().await?.iter().filter_map(|lag| lag.committed).sum();
    assert_eq!(finished, 20, "only what was finished is committed");
    let mut second = ground.worker(Window::default())?;
    assert_eq!(offsets(&second.take(20).await?), BTreeMap::from([(0, (10..20).collect()), (1, (10..20).collect())]));
    Ok(())
}

async fn publish_one(ground: &Ground, producer: &kafka::Producer) -> Result<()> {
    publish(producer, [ground.record("k", "0")]).await
}

#[tokio::test]
async fn closing_needs_no_broker() -> Result<()> {
    let mut ground = Ground::new("nobody", 1).await?;
    ground.settings.brokers = "127.0.0.1:1".to_owned();
    let worker = ground.worker(Window::default())?;
    within("the consumer leaves", worker.handle.close()).await??;
    Ok(())
}

#[tokio::test]
async fn whoever_stops_listening_ends_the_consumer() -> Result<()> {
    let ground = Ground::new("deaf", 1).await?;
    publish_one(&ground, &ground.producer()?).await?;
    let worker = ground.worker(Window::default())?;
    drop(worker.deliveries);
    publish_one(&ground, &ground.producer()?).await?;
    within("the consumer leaves", worker.handle.close()).await??;
    assert_eq!(worker.assignment.partitions(), []);
    Ok(())
}
