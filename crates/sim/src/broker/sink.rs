//! One process's producer.

use std::sync::Arc;

use domain::OutgoingRecord;
use engine::{EventSink, PublishError};

use super::Broker;
use crate::life::Life;

/// Writes to the log: it may die before and after every record, and what is not acknowledged may be written.
#[derive(Debug)]
pub struct SimSink {
    /// Where to.
    pub broker: Arc<Broker>,
    /// Whose.
    pub life: Arc<Life>,
}

impl EventSink for SimSink {
    async fn publish(&self, record: OutgoingRecord) -> Result<(), PublishError> {
        self.life.moment().await;
        let Life { dice, sky, .. } = &*self.life;
        let unacknowledged = sky.strikes(dice, |weather| weather.record_unacknowledged);
        if !unacknowledged || dice.chance(0.5) {
            self.broker.append(record);
        }
        tokio::task::yield_now().await;
        self.life.moment().await;
        if unacknowledged { Err(PublishError::Unavailable("not acknowledged".into())) } else { Ok(()) }
    }
}
