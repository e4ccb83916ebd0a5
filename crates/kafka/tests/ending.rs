//! Clients that are of no use any more: a fenced consumer, and a producer that is broken for good.

mod common;

use anyhow::Result;
use common::{Ground, publish, within};
use engine::{EventSink as _, PublishError, Window};
use kafka::{FatalError, KafkaSettings};

#[tokio::test]
async fn of_two_with_one_instance_id_the_first_is_told_which_and_what_to_do() -> Result<()> {
    let mut ground = Ground::new("fenced", 1).await?;
    ground.settings.instance_id = Some("submitter-0".into());
    publish(&ground.producer()?, [ground.record("k", "0")]).await?;
    let mut first = ground.worker(Window::default())?;
    first.take(1).await?;
    let fatal = first.handle.fatal();
    let mut second = ground.worker(Window::default())?;
    let error = within("the first is fenced", fatal).await?;
    assert_eq!(error, FatalError::Fenced { group: ground.group.clone(), instance_id: "submitter-0".into() });
    let told = error.to_string();
    assert!(told.contains("submitter-0") && told.contains("an instance id of its own"), "{told}");
    assert_eq!(within("its thread ends", first.deliveries.recv()).await?, None);
    within("closing is still possible", first.handle.close()).await??;
    second.take(1).await?;
    Ok(())
}

#[tokio::test]
async fn what_a_producer_that_broke_for_good_did_not_publish_comes_again() -> Result<()> {
    const REFUSED: i64 = 4;
    let ground = Ground::new("broken", 1).await?;
    let results = Ground::new("broken-results", 1).await?;
    publish(&ground.producer()?, (0..10).map(|n| ground.record_at(0, &n.to_string()))).await?;
    let mut first = ground.worker(Window::default())?;
    let producer = kafka::Producer::start(&breaking(&results))?;
    let fatal = producer.fatal();
    for delivery in first.take(10).await? {
        let offset = delivery.record.offset;
        // More than the topic takes, and less than the producer does: it is the broker that refuses.
        let value = if offset == REFUSED { "x".repeat(2 << 20) } else { offset.to_string() };
        match producer.publish(results.record_at(0, &value)).await {
            Ok(()) => first.finish(&[delivery]),
            Err(error) => assert!(matches!(error, PublishError::Fatal(_)), "{offset}: {error}"),
        }
    }
    let error = within("the producer is broken", fatal).await?;
    assert!(matches!(error, FatalError::Broken(_)), "{error}");
    within("the consumer leaves", first.handle.close()).await??;
    assert_eq!(ground.lag().await?[0].committed, Some(REFUSED));

    // The next process.
    let mut second = ground.worker(Window::default())?;
    let again = second.take(6).await?;
    publish(&results.producer()?, again.iter().map(|d| results.record_at(0, &d.record.offset.to_string()))).await?;
    second.finish(&again);
    ground.committed(|lag| lag.committed == Some(10)).await?;
    let end = results.lag().await?[0].end;
    assert_eq!(end, 10, "every one once: what was published was finished, and what was not came again");
    Ok(())
}

/// A producer that a refused record breaks for good, as a lost sequence does.
fn breaking(ground: &Ground) -> KafkaSettings {
    let mut settings = KafkaSettings { max_record_bytes: 4 << 20, ..ground.settings.clone() };
    let properties = [("enable.gapless.guarantee", "true"), ("compression.type", "none")];
    settings.properties.extend(properties.map(|(name, value)| (name.to_owned(), value.to_owned())));
    settings
}
