//! Bad input on real parts: put aside or failed with a reason, and nobody behind it waits.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devstack::demo::{Follower, Journey, Order, Referee, campaign, publish};
use devstack::{Stack, StackOptions};
use domain::{OutgoingRecord, Record, Rejected, State, Topic};
use engine::{Assignment, EventSink, Window};
use kafka::{Consumer, KafkaSettings, Producer};
use tokio::sync::mpsc;

const STANDSTILL: Duration = Duration::from_mins(1);
/// Largest value that leaves room for the record around it in a topic of 1 MiB.
const LARGEST: usize = (1 << 20) - 512;
/// A PNG of 30,000 by 30,000 pixels: a few bytes that would become 2.7 GB.
const BOMB: &[u8] = b"\
    \x89PNG\x0d\x0a\x1a\x0a\0\0\0\x0dIHDR\0\0u0\0\0u0\x08\x02\0\0\0\xe9Eo\xed\0\0\0\x1aIDATx\xda\xed\xc1\
    \x01\x0d\0\0\0\xc2\xa0\xf7Om\x0f\x07\x14\0\0\0\xf0n\x10\0\0\x01\x9bhTc\0\0\0\0IEND\xaeB`\x82";

/// Reads a topic from its beginning until it holds what is waited for.
async fn read(
    env: &BTreeMap<String, String>,
    topic: String,
    enough: impl Fn(&[Record]) -> bool,
) -> Result<Vec<Record>> {
    let settings = KafkaSettings::new(&env["KAFKA_BROKERS"], "test");
    let assignment = Assignment::new(Window::default());
    let (sender, mut deliveries) = mpsc::unbounded_channel();
    let group = format!("test-{topic}");
    let consumer = Consumer::start(&settings, &group, &[topic], Arc::clone(&assignment), sender)?;
    let mut records = Vec::new();
    while !enough(&records) {
        let delivery = tokio::time::timeout(STANDSTILL, deliveries.recv()).await;
        let delivery = delivery.with_context(|| format!("{group} stops after {} records", records.len()))?;
        records.push(delivery.context("the consumer ended")?.record);
    }
    consumer.close().await?;
    Ok(records)
}

async fn publish_raw(env: &BTreeMap<String, String>, values: &[Option<Vec<u8>>]) -> Result<()> {
    let producer = Producer::start(&KafkaSettings::new(&env["KAFKA_BROKERS"], "test"))?;
    for value in values {
        let record = OutgoingRecord {
            topic: Topic::Operations.name(""),
            partition: None,
            key: None,
            value: value.clone(),
            headers: vec![],
        };
        producer.publish(record).await?;
    }
    Ok(())
}

/// The event of an order, changed.
fn changed(order: &Order, change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut event = serde_json::to_value(&order.event).expect("an event has a JSON form");
    change(&mut event);
    event.to_string().into_bytes()
}

fn rejection(record: &Record) -> Option<Rejected> {
    serde_json::from_slice(record.value.as_deref()?).ok()
}

fn journey<'a>(journeys: &'a [Journey], order: &Order) -> Result<&'a domain::StatusChanged> {
    let id = order.event.operation_id;
    let found = journeys.iter().find(|journey| journey.order.event.operation_id == id);
    found.and_then(|journey| journey.latest.as_ref()).context("the operation was told of")
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_ends_with_its_reason_and_its_neighbours_are_minted() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let options = StackOptions { slot: Duration::from_millis(100), ..StackOptions::new(dir.path().join("stack")) };
    let stack = Stack::start(options).await?;
    let env = stack.env().clone();
    let assets = stack.layout().assets();
    fs::write(assets.join("text.png"), "no image at all")?;
    fs::write(assets.join("large.png"), vec![0x89; 11 << 20])?;
    fs::write(assets.join("bomb.png"), BOMB)?;

    let [good, spare, failing] = [campaign(5), campaign(1), campaign(4)];
    let spare = &spare[0];
    let mut failing = failing;
    for (order, image) in
        failing.iter_mut().zip(["asset:text.png", "asset:large.png", "asset:bomb.png", "asset:none.png"])
    {
        order.event.nft.image = image.into();
    }
    let poison = [
        None,
        Some(b"\xff\xfe".to_vec()),
        Some(b"{".to_vec()),
        Some(vec![b'x'; LARGEST]),
        Some(changed(spare, |event| event["type"] = "burn".into())),
        Some(changed(spare, |event| event["type"] = "upgrade".into())),
        Some(changed(spare, |event| {
            event["type"] = "upgrade".into();
            event["burn"] = serde_json::json!({ "mint": event["walletAddress"], "signature": "0OIl" });
        })),
        Some(changed(spare, |event| event["walletAddress"] = "0OIl".into())),
        Some(changed(spare, |event| event["nft"]["name"] = "x".repeat(33).into())),
        Some(changed(spare, |event| event["nft"]["name"] = "a\0b".into())),
        Some(changed(spare, |event| event["nft"]["image"] = "asset:../keys/payer.json".into())),
        Some(changed(&good[0], |event| event["nft"]["description"] = "something else".into())),
    ];
    let everything: Vec<_> = good.iter().chain(&failing).cloned().collect();
    let mut follower = Follower::start(&env, &everything)?;
    publish(&env, &good[..1]).await?;
    follower.until_reached(STANDSTILL, State::Initiated, 1).await?;
    publish_raw(&env, &poison).await?;
    publish(&env, &everything[1..]).await?;
    let journeys = follower.until_ended(STANDSTILL, &[]).await?;

    let letters = read(&env, Topic::Operations.dead_letter_name(""), |records| records.len() == poison.len()).await?;
    let mut codes: Vec<_> = letters.iter().map(|letter| letter.header("x-dlq-code").unwrap_or("none")).collect();
    codes.sort_unstable();
    let expected = [
        "invalid-content",
        "invalid-content",
        "invalid-content",
        "malformed-burn-signature",
        "not-json",
        "not-json",
        "not-utf8",
        "nul-character",
        "null-value",
        "operation-conflict",
        "schema",
        "schema",
    ];
    ensure!(codes == expected, "{codes:?}");
    let unchanged = letters.iter().all(|letter| poison.contains(&letter.value));
    ensure!(unchanged, "a dead letter holds the very bytes");
    for letter in &letters {
        let reason = letter.header("kafka_dlt-exception-message").unwrap_or_default();
        ensure!(!reason.is_empty(), "a dead letter says why");
    }
    // Every poison that could be asked for its id was answered: all but the first four.
    read(&env, Topic::Status.name(""), |records| records.iter().filter_map(rejection).count() == poison.len() - 4)
        .await?;

    let codes = ["not-an-image", "image-too-large", "image-too-large", "unknown-asset"];
    for (order, code) in failing.iter().zip(codes) {
        let status = journey(&journeys, order)?;
        let found = status.error.as_ref().map(|error| error.code.as_str());
        ensure!(status.state == State::Failed && found == Some(code), "{}: {status:?}", order.event.nft.image);
    }
    let (good, _): (Vec<_>, Vec<_>) = journeys
        .into_iter()
        .partition(|journey| good.iter().any(|order| order.event.operation_id == journey.order.event.operation_id));
    let referee = Referee::new(&stack)?;
    let problems: Vec<_> = referee.judge(&good).await?.into_iter().flat_map(|finding| finding.problems).collect();
    ensure!(problems.is_empty(), "{problems:#?}");
    ensure!(referee.surplus(&good).await?.is_empty(), "something that failed was minted");
    stack.stop().await
}
