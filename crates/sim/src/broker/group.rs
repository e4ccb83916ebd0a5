//! Consumer groups: who owns which partition, and how far it was consumed.
//!
//! Harsher than the real thing: a partition that moves is its new owner's at once, while the old one learns of it with its
//! next heartbeat, or when it wakes up. So two processes may believe to own it; only commits are fenced.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::Partition;
use tokio::time::Instant;

/// A member that is silent for so long is out.
const SESSION: Duration = Duration::from_secs(10);

/// Every group.
#[derive(Debug, Default)]
pub struct Groups(BTreeMap<String, Group>);

/// One group.
#[derive(Debug, Default)]
pub struct Group {
    members: BTreeMap<String, Instant>,
    /// Rises with every rebalance.
    generation: u64,
    /// Turns the assignment round, so that a rebalance moves something.
    turns: usize,
    owners: BTreeMap<Partition, String>,
    committed: BTreeMap<Partition, i64>,
}

/// What a member hears of its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Since which rebalance.
    pub generation: u64,
    /// What is its own.
    pub partitions: Vec<Partition>,
}

impl Groups {
    /// A member says that it is there; the silent ones are out.
    pub fn heartbeat(
        &mut self,
        group: &str,
        partitions: impl FnOnce() -> Vec<Partition>,
        member: &str,
        now: Instant,
        storm: bool,
    ) -> &Group {
        if !self.0.contains_key(group) {
            self.0.insert(group.to_owned(), Group::default());
        }
        let group = self.0.get_mut(group).expect("it was just put there");
        group.heartbeat(partitions, member, now, storm);
        group
    }

    /// Commits what is still the member's.
    pub fn commit(&mut self, group: &str, member: &str, positions: &[(Partition, i64)]) {
        let Some(group) = self.0.get_mut(group) else { return };
        for (partition, position) in positions {
            if group.owners.get(partition).is_some_and(|owner| owner == member) {
                group.committed.insert(partition.clone(), *position);
            }
        }
    }

    /// Where a group goes on.
    pub fn position(&self, group: &str, partition: &Partition) -> i64 {
        self.0.get(group).and_then(|group| group.committed.get(partition)).copied().unwrap_or(0)
    }

    /// Where a group goes on in every partition that it ever owned.
    pub fn committed(&self, group: &str) -> impl Iterator<Item = (&Partition, i64)> {
        let group = self.0.get(group);
        group.into_iter().flat_map(|group| {
            group.owners.keys().map(|partition| (partition, group.committed.get(partition).copied().unwrap_or(0)))
        })
    }
}

impl Group {
    /// What is the member's own, unless nothing has changed since that rebalance.
    pub fn since(&self, generation: u64, member: &str) -> Option<Membership> {
        let own = || self.owners.iter().filter(|(_, owner)| *owner == member).map(|(partition, _)| partition.clone());
        (self.generation != generation).then(|| Membership { generation: self.generation, partitions: own().collect() })
    }

    fn heartbeat(&mut self, partitions: impl FnOnce() -> Vec<Partition>, member: &str, now: Instant, storm: bool) {
        let joins = self.members.insert(member.to_owned(), now).is_none();
        let before = self.members.len();
        self.members.retain(|_, heard| *heard + SESSION > now);
        if joins || storm || self.members.len() < before {
            self.generation += 1;
            self.turns += usize::from(storm);
            self.assign(&partitions());
        }
    }

    fn assign(&mut self, partitions: &[Partition]) {
        let members: Vec<_> = self.members.keys().cloned().collect();
        let owner = |index: usize| members[(index + self.turns) % members.len()].clone();
        self.owners =
            partitions.iter().enumerate().map(|(index, partition)| (partition.clone(), owner(index))).collect();
    }
}
