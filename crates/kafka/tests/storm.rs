//! A rebalance storm: a member comes and goes all the time, and the group goes on all the same.

mod common;

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use common::working::{STUCK, Seen, assert_complete_and_in_order, work};
use common::{Ground, eventually, publish, within};
use domain::OutgoingRecord;
use engine::Window;
use kafka::PartitionLag;
use tokio::sync::watch;

/// By their heartbeats members learn of each other. A tenth of what workers have; so are the visits of the one that
/// comes and goes, every 3 s out there.
const HEARTBEAT: Duration = Duration::from_millis(300);
const VISITS: usize = 8;
/// These four have work in hand that nobody finishes, so of three that move to the guest one at least has.
const STUCK_ONES: Range<i32> = 0..4;
/// These go on.
const OTHERS: Range<i32> = 4..6;
/// Keys of each.
const KEYS: usize = 20;

/// One record for each key.
fn round(ground: &Ground, n: usize) -> impl Iterator<Item = OutgoingRecord> {
    OTHERS.flat_map(move |partition| {
        (0..KEYS).map(move |key| ground.record_with(partition, &format!("key-{partition}-{key}"), &n.to_string()))
    })
}

/// Comes, works, and goes: in the middle of joining, or as soon as partitions were moved to it.
async fn visit(ground: &Ground, seen: &Seen, until_assigned: bool) -> Result<()> {
    let guest = ground.worker(Window::default())?;
    let assignment = Arc::clone(&guest.assignment);
    let (leave, left) = watch::channel(false);
    let working = tokio::spawn(work(guest, "guest", Seen::clone(seen), left));
    if until_assigned {
        eventually("the guest has partitions", async || Ok(!assignment.partitions().is_empty())).await?;
    } else {
        tokio::time::sleep(HEARTBEAT).await;
    }
    leave.send_replace(true);
    within("the guest leaves", working.await?.handle.close()).await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_goes_on_while_a_member_comes_and_goes() -> Result<()> {
    let mut ground = Ground::new("storm", 6).await?;
    ground.settings.properties.insert("heartbeat.interval.ms".into(), HEARTBEAT.as_millis().to_string());
    let (producer, seen, visits) = (ground.producer()?, Seen::default(), Cell::new(0));
    let (end, over) = watch::channel(false);
    let steady = tokio::spawn(work(ground.worker(Window::default())?, "steady", seen.clone(), over.clone()));
    let storm = async {
        while !*over.borrow() {
            visit(&ground, &seen, visits.get() % 2 == 0).await?;
            visits.set(visits.get() + 1);
        }
        anyhow::Ok(())
    };
    // A callback that waited for what is in hand would wait for ever.
    publish(&producer, STUCK_ONES.map(|partition| ground.record_with(partition, STUCK, "0"))).await?;
    // Not once does it wait for the storm to pass: whatever is published is worked off and committed in it.
    let progress = async {
        let mut each = 0;
        while visits.get() < VISITS {
            publish(&producer, round(&ground, each)).await?;
            each += 1;
            ground.committed(|lag| STUCK_ONES.contains(&lag.partition.id) || lag.committed == Some(lag.end)).await?;
        }
        end.send_replace(true);
        anyhow::Ok(each)
    };
    let ((), each) = tokio::try_join!(storm, progress)?;
    within("the steady one leaves", steady.await?.handle.close()).await??;
    assert_complete_and_in_order(&seen, OTHERS.len() * KEYS, each);
    let past_unfinished = |lag: &PartitionLag| STUCK_ONES.contains(&lag.partition.id) && lag.committed > Some(0);
    assert!(!ground.lag().await?.iter().any(past_unfinished));
    Ok(())
}
