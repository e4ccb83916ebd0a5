//! What is asked about a group that others are in.

mod common;

use std::collections::HashSet;

use anyhow::Result;
use common::{Ground, publish, within};
use domain::FailureClass;
use engine::{Backlog, Partition, Window};
use kafka::{GroupBacklog, KafkaSettings};

#[tokio::test]
async fn a_partition_is_consumed_to_its_end_once_that_is_committed() -> Result<()> {
    let ground = Ground::new("backlog", 2).await?;
    let backlog = GroupBacklog::connect(&ground.settings, &ground.group)?;
    let partition = |id| Partition { topic: ground.topic.as_str().into(), id };
    let at_end = async || backlog.consumed_to_end(vec![partition(0), partition(1)]).await;
    assert_eq!(backlog.partitions(&ground.topic).await, Ok(2));
    assert_eq!(at_end().await, Ok(HashSet::from([partition(0), partition(1)])), "nothing was ever written");

    publish(&ground.producer()?, ["a", "b"].map(|value| ground.record_at(0, value))).await?;
    assert_eq!(at_end().await, Ok(HashSet::from([partition(1)])));

    let mut worker = ground.worker(Window::default())?;
    let deliveries = worker.take(2).await?;
    worker.finish(&deliveries[..1]);
    ground.committed(|lag| lag.partition.id == 1 || lag.committed == Some(1)).await?;
    assert_eq!(at_end().await, Ok(HashSet::from([partition(1)])), "one record is in hand");
    worker.finish(&deliveries[1..]);
    ground.committed(|lag| lag.partition.id == 1 || lag.committed == Some(2)).await?;
    assert_eq!(at_end().await, Ok(HashSet::from([partition(0), partition(1)])));
    within("the consumer leaves", worker.handle.close()).await??;
    Ok(())
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_trouble_and_no_answer() -> Result<()> {
    let backlog = GroupBacklog::connect(&KafkaSettings::new("127.0.0.1:1", "test"), "nobody")?;
    let asked = backlog.consumed_to_end(vec![Partition { topic: "t".into(), id: 0 }]).await;
    assert_eq!(asked.map_err(|failure| failure.class), Err(FailureClass::Transient));
    Ok(())
}
