//! Reading topics from end to end.

mod common;

use anyhow::Result;
use chrono::{DateTime, Utc};
use common::{Ground, publish, within};
use domain::Record;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

async fn read(ground: &Ground, topics: &[&str], since: Option<DateTime<Utc>>) -> Result<Vec<Record>> {
    let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
    let mut records = ground.admin.read(topics, since)?;
    let mut all = Vec::new();
    while let Some(record) = within("a record or the end", records.recv()).await? {
        all.push(record?);
    }
    Ok(all)
}

fn values(records: &[Record]) -> Vec<&str> {
    let mut values: Vec<_> =
        records.iter().map(|record| std::str::from_utf8(record.value.as_deref().unwrap()).unwrap()).collect();
    values.sort_unstable();
    values
}

#[tokio::test]
async fn everything_that_is_there_is_read_and_no_group_moves() -> Result<()> {
    let (one, two) = (Ground::new("read-one", 3).await?, Ground::new("read-two", 1).await?);
    let empty = Ground::new("read-empty", 2).await?;
    let numbers: Vec<_> = (0..1_000).map(|number| format!("{number:04}")).collect();
    publish(&one.producer()?, numbers.iter().map(|number| one.record(number, number))).await?;
    publish(&two.producer()?, [two.record("k", "last")]).await?;
    let topics = [&*one.topic, "no-such-topic", &*empty.topic, &*two.topic];
    let records = read(&one, &topics, None).await?;
    assert_eq!(records.len(), 1_001);
    assert_eq!(values(&records[..1_000]), numbers);
    assert_eq!(records[1_000].topic, two.topic);
    let again = read(&one, &topics, None).await?;
    assert_eq!(again.len(), 1_001);
    Ok(())
}

#[tokio::test]
async fn what_is_older_is_left_out() -> Result<()> {
    let ground = Ground::new("read-since", 2).await?;
    let write = async |partition, value| -> Result<()> {
        publish(&ground.producer()?, [ground.record_at(partition, value)]).await
    };
    write(0, "old").await?;
    write(1, "old too").await?;
    let old = read(&ground, &[&ground.topic], None).await?;
    let newest = old.iter().filter_map(|record| record.timestamp).max().unwrap();
    let since = newest + chrono::Duration::milliseconds(1);
    assert!(read(&ground, &[&ground.topic], Some(since)).await?.is_empty());
    // The clock stamps what comes now with that time or later.
    common::eventually("the clock goes on", async || {
        write(0, "new").await?;
        Ok(!read(&ground, &[&ground.topic], Some(since)).await?.is_empty())
    })
    .await?;
    assert!(read(&ground, &[&ground.topic], Some(since)).await?.iter().all(|record| record.partition == 0));
    Ok(())
}

#[tokio::test]
async fn a_transactions_marker_at_the_end_is_no_record_to_wait_for() -> Result<()> {
    let ground = Ground::new("read-marker", 1).await?;
    let topic = ground.topic.clone();
    let brokers = ground.settings.brokers.clone();
    tokio::task::spawn_blocking(move || -> Result<()> {
        let producer: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", brokers).set("transactional.id", &topic).create()?;
        producer.init_transactions(common::PATIENCE)?;
        for (value, commit) in [("kept", true), ("aborted", false)] {
            producer.begin_transaction()?;
            let record = BaseRecord::<str, str>::to(&topic).key("k").payload(value);
            producer.send(record).map_err(|(error, _)| error)?;
            if commit {
                producer.commit_transaction(common::PATIENCE)?;
            } else {
                producer.flush(common::PATIENCE)?;
                producer.abort_transaction(common::PATIENCE)?;
            }
        }
        Ok(())
    })
    .await??;
    assert_eq!(values(&read(&ground, &[&ground.topic], None).await?), ["kept"]);
    Ok(())
}
