//! The API: asks for operations, now and then twice.

use std::sync::Arc;
use std::time::Duration;

use domain::{OperationId, OutgoingRecord, Priority, Topic};
use testkit::operation_id;
use tokio::time::sleep;

use crate::broker::Broker;
use crate::chain::HOPELESS;
use crate::dice::Dice;
use crate::ipfs::IMAGELESS;
use crate::weather::Sky;

/// One operation in so many cannot succeed.
const DOOMED: f64 = 0.02;
/// When a repeated event comes, after the first.
const AGAIN: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(90));

/// Asks for so many operations, spread over as long as `within`; ready once all events are out.
pub async fn ask(broker: Arc<Broker>, sky: Arc<Sky>, dice: Dice, operations: u64, within: Duration) {
    let mut repeated = tokio::task::JoinSet::new();
    let pause = within / u32::try_from(operations).unwrap_or(u32::MAX).max(1);
    for number in 1..=operations {
        let record = event(number, &dice);
        if sky.strikes(&dice, |weather| weather.event_twice) {
            let (broker, again, after) = (Arc::clone(&broker), record.clone(), dice.between(AGAIN.0, AGAIN.1));
            repeated.spawn(async move {
                sleep(after).await;
                broker.append(again);
            });
        }
        broker.append(record);
        sleep(dice.between(Duration::ZERO, 2 * pause)).await;
    }
    while repeated.join_next().await.is_some() {}
}

/// The operation whose NFT has that name.
#[must_use]
pub fn operation_of(name: &str) -> Option<OperationId> {
    name.rsplit(' ').next()?.parse().ok().map(operation_id)
}

fn event(number: u64, dice: &Dice) -> OutgoingRecord {
    let kind = if dice.chance(DOOMED) { *dice.pick(&[HOPELESS, IMAGELESS]) } else { "Ape" };
    let id = operation_id(number);
    let mut event = testkit::event(id, &format!("{kind} {number}"));
    let priority = dice.pick(&Priority::ALL);
    event.insert_str(1, &format!(r#""priority":"{priority}","#));
    OutgoingRecord {
        topic: Topic::Operations.name(""),
        partition: None,
        key: Some(id.to_string().into_bytes()),
        value: Some(event.into_bytes()),
        headers: vec![],
    }
}
