//! A rebalance storm: a member comes and goes all the time, and the group goes on all the same.

mod common;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use common::working::{Seen, assert_complete_and_in_order, work};
use common::{Ground, eventually, publish, within};
use engine::Window;
use tokio::sync::watch;

const NARROW: Window = Window { records: 50, bytes: 16 << 20 };
/// By their heartbeats members learn of each other. A tenth of what workers have; so are the visits of the one that
/// comes and goes, every 3 s out there.
const HEARTBEAT: Duration = Duration::from_millis(300);
const VISITS: usize = 8;
const KEYS: usize = 60;

/// Comes, works, and goes: in the middle of joining, or as soon as partitions were moved to it.
async fn visit(ground: &Ground, seen: &Seen, until_assigned: bool) -> Result<()> {
    let guest = ground.worker(NARROW)?;
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
    let steady = tokio::spawn(work(ground.worker(NARROW)?, "steady", seen.clone(), over.clone()));
    let storm = async {
        while !*over.borrow() {
            visit(&ground, &seen, visits.get() % 2 == 0).await?;
            visits.set(visits.get() + 1);
        }
        anyhow::Ok(())
    };
    // Not once does it wait for the storm to pass: whatever is published is worked off and committed in it.
    let progress = async {
        let mut each = 0;
        while visits.get() < VISITS {
            publish(&producer, (0..KEYS).map(|key| ground.record(&format!("key-{key}"), &each.to_string()))).await?;
            each += 1;
            ground.committed(|lag| lag.committed == Some(lag.end)).await?;
        }
        end.send_replace(true);
        anyhow::Ok(each)
    };
    let ((), each) = tokio::try_join!(storm, progress)?;
    within("the steady one leaves", steady.await?.handle.close()).await??;
    assert_complete_and_in_order(&seen, KEYS, each);
    Ok(())
}
