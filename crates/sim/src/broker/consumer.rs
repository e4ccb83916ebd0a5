//! One process's consumer in one group: what the thread of crate `kafka` does, on the virtual clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::{Assignment, Delivery, Partition};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::Broker;
use super::group::Membership;
use crate::life::Life;

/// How often a member looks at its group, and for records.
const TURN: Duration = Duration::from_millis(250);
/// How often the finished prefix is committed.
const COMMIT_EVERY: Duration = Duration::from_secs(5);
/// Records of one fetch.
const FETCH: usize = 100;

/// A member of a group.
#[derive(Debug)]
pub struct Consumer {
    /// The cluster.
    pub broker: Arc<Broker>,
    /// The process.
    pub life: Arc<Life>,
    /// The group.
    pub group: String,
    /// What it takes.
    pub topics: Vec<String>,
    /// What is its own, as the engine knows it.
    pub assignment: Arc<Assignment>,
    /// Where records go.
    pub deliveries: mpsc::UnboundedSender<Delivery>,
    /// A classic mistake: an offset counts as done once its record is fetched.
    pub stores_first: bool,
}

/// A partition of its own.
#[derive(Debug)]
struct Own {
    next: i64,
    paused: bool,
}

impl Consumer {
    /// Goes on until the process dies.
    pub async fn run(self) {
        let mut own: BTreeMap<Partition, Own> = BTreeMap::new();
        let mut stored: BTreeMap<Partition, i64> = BTreeMap::new();
        let mut generation = 0;
        let mut commit_at = Instant::now() + COMMIT_EVERY;
        loop {
            self.life.awake().await;
            generation = self.rebalance(generation, &mut own, &mut stored);
            self.mind_the_flow(&mut own);
            self.fetch(&mut own, &mut stored);
            stored.extend(self.assignment.progress());
            if commit_at <= Instant::now() {
                commit_at = Instant::now() + COMMIT_EVERY;
                self.commit(&mut stored);
            }
            sleep(TURN).await;
        }
    }

    fn rebalance(
        &self,
        generation: u64,
        own: &mut BTreeMap<Partition, Own>,
        stored: &mut BTreeMap<Partition, i64>,
    ) -> u64 {
        let heard = self.broker.heartbeat(&self.group, &self.topics, &self.life.name, generation);
        let Some(Membership { generation, partitions: now }) = heard else { return generation };
        let lost: Vec<_> = own.keys().filter(|partition| !now.contains(partition)).cloned().collect();
        let new: Vec<_> = now.into_iter().filter(|partition| !own.contains_key(partition)).collect();
        if lost.is_empty() && new.is_empty() {
            return generation;
        }
        let listed = |partitions: &[Partition]| {
            let names: Vec<_> = partitions.iter().map(ToString::to_string).collect();
            names.join(" ")
        };
        self.life.note(format!("{}: loses [{}], gets [{}]", self.group, listed(&lost), listed(&new)));
        self.assignment.revoked(&lost);
        for partition in lost {
            own.remove(&partition);
            stored.remove(&partition);
        }
        for partition in &new {
            let next = self.broker.committed(&self.group, partition);
            own.insert(partition.clone(), Own { next, paused: false });
        }
        self.assignment.assigned(new);
        generation
    }

    fn mind_the_flow(&self, own: &mut BTreeMap<Partition, Own>) {
        let flow = self.assignment.flow();
        for (partitions, paused) in [(flow.pause, true), (flow.resume, false)] {
            for partition in partitions {
                if let Some(own) = own.get_mut(&partition) {
                    own.paused = paused;
                }
            }
        }
    }

    fn fetch(&self, own: &mut BTreeMap<Partition, Own>, stored: &mut BTreeMap<Partition, i64>) {
        for (partition, own) in own.iter_mut().filter(|(_, own)| !own.paused) {
            for record in self.broker.fetch(partition, own.next, FETCH) {
                own.next = record.offset + 1;
                if self.stores_first {
                    stored.insert(partition.clone(), own.next);
                }
                if let Some(ticket) = self.assignment.received(&record) {
                    // A runner that ended takes nothing more.
                    let _ = self.deliveries.send(Delivery { record, ticket });
                }
            }
        }
    }

    fn commit(&self, stored: &mut BTreeMap<Partition, i64>) {
        let positions: Vec<_> = std::mem::take(stored).into_iter().collect();
        if !positions.is_empty() {
            self.broker.commit(&self.group, &self.life.name, &positions);
        }
    }
}
