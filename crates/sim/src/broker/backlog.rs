//! What the cluster says of a group.

use std::collections::HashSet;
use std::sync::Arc;

use domain::Failure;
use engine::{Backlog, Partition};

use super::Broker;
use crate::life::Life;

/// The backlog of one group, asked by one process.
#[derive(Debug)]
pub struct SimBacklog {
    /// Whom is asked.
    pub broker: Arc<Broker>,
    /// Of which group.
    pub group: String,
    /// Who asks.
    pub life: Arc<Life>,
}

impl Backlog for SimBacklog {
    async fn partitions(&self, topic: &str) -> Result<u32, Failure> {
        self.life.moment().await;
        let partitions = super::lock(&self.broker.log).partitions(&[topic.to_owned()]);
        Ok(u32::try_from(partitions.len()).unwrap_or(u32::MAX))
    }

    async fn consumed_to_end(&self, partitions: Vec<Partition>) -> Result<HashSet<Partition>, Failure> {
        self.life.moment().await;
        let at_end =
            |partition: &Partition| self.broker.committed(&self.group, partition) >= self.broker.ends_at(partition);
        Ok(partitions.into_iter().filter(at_end).collect())
    }
}
