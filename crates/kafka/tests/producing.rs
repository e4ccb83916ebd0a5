//! The producer against a real broker.

mod common;

use std::time::Duration;

use anyhow::Result;
use common::{Ground, publish, within};
use domain::{Header, OutgoingRecord};
use engine::{EventSink, PublishError, Window};
use kafka::Producer;

/// Bytes that do not compress, the same every time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

#[tokio::test]
async fn partitions_agree_with_java() -> Result<()> {
    // org.apache.kafka.common.utils.Utils.murmur2 of kafka-clients 4.1.0; the first six stand in Kafka's own UtilsTest.
    let hashes = [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
        ("", 275_646_681),
        ("Zürich", -1_551_140_815),
        ("0198c2f4-7a10-7000-8000-000000000001", 91_073_198),
        ("0198c2f4-7a10-7000-8000-000000000002", -802_163_598),
    ];
    let ground = Ground::new("partitions", 12).await?;
    publish(&ground.producer()?, hashes.map(|(key, _)| ground.record(key, "v"))).await?;
    let mut worker = ground.worker(Window::default())?;
    for delivery in worker.take(hashes.len()).await? {
        let key = String::from_utf8(delivery.record.key.unwrap())?;
        let (_, hash) = hashes.into_iter().find(|(known, _)| *known == key).unwrap();
        assert_eq!(delivery.record.partition, (hash & 0x7fff_ffff) % 12, "key {key:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_byte_comes_back() -> Result<()> {
    let ground = Ground::new("bytes", 1).await?;
    let header = |key: &str, value: Option<&[u8]>| Header { key: key.into(), value: value.map(<[u8]>::to_vec) };
    let headers = vec![
        header("twice", Some(b"1")),
        header("twice", Some(&[0, 159, 146, 150])),
        header("null", None),
        header("empty", Some(b"")),
        header("", Some(b"nameless")),
        header("größe", Some("ä".as_bytes())),
    ];
    let binary: Vec<u8> = (0..=255).collect();
    let contents = [
        (None, None, vec![]),
        (Some(vec![]), Some(vec![]), headers.clone()),
        (Some(binary.clone()), Some(binary.repeat(64)), headers.clone()),
        (None, Some(binary), vec![]),
        (Some(b"tombstone".to_vec()), None, headers),
    ];
    let producer = ground.producer()?;
    for (key, value, headers) in contents.clone() {
        let topic = ground.topic.clone();
        producer.publish(OutgoingRecord { topic, partition: None, key, value, headers }).await?;
    }
    let mut worker = ground.worker(Window::default())?;
    let read = worker.take(contents.len()).await?;
    assert!(read.iter().all(|delivery| delivery.record.timestamp.is_some()));
    let read: Vec<_> = read.into_iter().map(|d| (d.record.key, d.record.value, d.record.headers)).collect();
    assert_eq!(read, contents);
    Ok(())
}

#[tokio::test]
async fn a_record_too_large_fails_alone() -> Result<()> {
    let ground = Ground::new("large", 1).await?;
    let producer = ground.producer()?;
    let sized = |len| OutgoingRecord { value: Some(noise(len)), ..ground.record("k", "") };
    let too_large = PublishError::TooLarge { topic: ground.topic.clone() };
    // Refused by the broker, for the topic takes 1 MiB; and by the client, which allows 64 KiB more.
    let (broker, client) = ((1 << 20) + 100, (1 << 20) + (64 << 10));
    let neighbours = publish(&producer, (0..100).map(|n| ground.record("k", &n.to_string())));
    let (first, by_broker, by_client, second) = tokio::join!(
        neighbours,
        producer.publish(sized(broker)),
        producer.publish(sized(client)),
        publish(&producer, (100..200).map(|n| ground.record("k", &n.to_string()))),
    );
    first?;
    second?;
    assert_eq!(by_broker, Err(too_large.clone()));
    assert_eq!(by_client, Err(too_large));
    // As large as the topic takes, less what a batch adds.
    producer.publish(sized((1 << 20) - 200)).await?;
    assert_eq!(ground.worker(Window::default())?.take(201).await?.len(), 201);
    Ok(())
}

#[tokio::test]
async fn a_partition_that_is_not_there_gives_way_to_the_key() -> Result<()> {
    let ground = Ground::new("fallback", 3).await?;
    let producer = ground.producer()?;
    let to = |partition| OutgoingRecord { partition: Some(partition), ..ground.record("foobar", "v") };
    // Before the client knows the topic, and when it does.
    for partition in [77, 2, 78] {
        producer.publish(to(partition)).await?;
    }
    let mut read: Vec<_> =
        ground.worker(Window::default())?.take(3).await?.iter().map(|d| d.record.partition).collect();
    read.sort_unstable();
    let foobar: i32 = -790_332_482;
    let by_key = (foobar & 0x7fff_ffff) % 3;
    let mut expected = [by_key, 2, by_key];
    expected.sort_unstable();
    assert_eq!(read, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_the_queue_full_waits() -> Result<()> {
    let ground = Ground::new("full", 2).await?;
    let producer = ground.producer()?;
    // 48 MiB, three times what may be on its way.
    let value = noise(48 << 10);
    let record = |n: usize| OutgoingRecord { value: Some(value.clone()), ..ground.record(&n.to_string(), "") };
    within("all acknowledged", publish(&producer, (0..1024).map(record))).await??;
    let ends: i64 = ground.lag().await?.iter().map(|lag| lag.end).sum();
    assert_eq!(ends, 1024);
    Ok(())
}

#[tokio::test]
async fn nobody_there_is_unavailable() -> Result<()> {
    let mut ground = Ground::new("nobody", 1).await?;
    ground.settings.brokers = "127.0.0.1:1".to_owned();
    ground.settings.properties.insert("delivery.timeout.ms".into(), "1500".into());
    let producer = Producer::start(&ground.settings)?;
    let refused = within("an answer", producer.publish(ground.record("k", "v"))).await?;
    assert!(matches!(refused, Err(PublishError::Unavailable(_))), "{refused:?}");
    producer.flush(Duration::from_secs(5)).await?;
    Ok(())
}
