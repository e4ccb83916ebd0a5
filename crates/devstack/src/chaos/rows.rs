//! The failure table: what can go wrong with what the fleet depends on, with its workers, and with what it is given.

use std::time::Duration;

use crate::faults::FaultKind;

use super::trouble::Place::{self, OneRpc, The};
use super::trouble::Trouble::{
    self, Faults, FrozenWorker, KilledWorkers, Poison, RebalanceStorm, RestartedKafka, RestartedPostgres,
    TerminatedWorkers,
};

/// A row of the failure table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// What fails.
    pub dependency: &'static str,
    /// How.
    pub failure: &'static str,
    /// What is done about it.
    pub trouble: Trouble,
    /// How long it lasts.
    pub lasts: Duration,
    /// Scaled down, it lasts at least this long: below, it would be another trouble.
    pub least: Duration,
}

impl Row {
    const fn new(dependency: &'static str, failure: &'static str, trouble: Trouble, seconds: u64) -> Self {
        Self { dependency, failure, trouble, lasts: Duration::from_secs(seconds), least: Duration::from_secs(3) }
    }

    const fn at_least(mut self, seconds: u64) -> Self {
        self.least = Duration::from_secs(seconds);
        self
    }

    /// `dependency: failure`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}: {}", self.dependency, self.failure)
    }
}

const PINS: Place = The("pins-first");
const ALL_PINS: Place = The("pins");
const GATEWAY_1: Place = The("gateway-1");
const GATEWAY_2: Place = The("gateway-2");
const POSTGRES: Place = The("postgres");
const KAFKA: Place = The("kafka");
const ALL_RPC: Place = The("rpc");
const SLOW: FaultKind = FaultKind::Delay(Duration::from_secs(3));

/// Every row, as the failure table lists them.
pub const ROWS: [Row; 30] = [
    Row::new("RPC, one of three", "refused", Faults(&[(OneRpc, FaultKind::Refused)]), 10),
    Row::new("RPC, one of three", "hang", Faults(&[(OneRpc, FaultKind::Hang)]), 10),
    Row::new("RPC, one of three", "429 storm", Faults(&[(OneRpc, FaultKind::TooMany(None))]), 10),
    Row::new("RPC, one of three", "5xx", Faults(&[(OneRpc, FaultKind::Status(503))]), 10),
    Row::new("RPC, one of three", "60 slots behind", Faults(&[(OneRpc, FaultKind::Behind(60))]), 10),
    Row::new("RPC, one of three", "slow (3 s)", Faults(&[(OneRpc, SLOW)]), 10),
    Row::new("RPC, one of three", "garbage", Faults(&[(OneRpc, FaultKind::Garbage)]), 10),
    Row::new("RPC, all", "refused", Faults(&[(ALL_RPC, FaultKind::Refused)]), 30),
    Row::new("RPC, all", "429 storm", Faults(&[(ALL_RPC, FaultKind::TooMany(None))]), 30),
    Row::new("pin provider, first", "refused", Faults(&[(PINS, FaultKind::Refused)]), 120),
    Row::new("pin provider, first", "429 storm", Faults(&[(PINS, FaultKind::TooMany(None))]), 10),
    Row::new("pin provider, first", "wrong CID", Faults(&[(PINS, FaultKind::WrongCid)]), 10),
    Row::new("pin provider, first", "slow (3 s)", Faults(&[(PINS, SLOW)]), 10),
    Row::new("pin provider, first", "over quota", Faults(&[(PINS, FaultKind::OverQuota)]), 10),
    Row::new("pin providers, all", "refused", Faults(&[(ALL_PINS, FaultKind::Refused)]), 30),
    Row::new("gateways", "one lies, one is slow", Faults(&[(GATEWAY_1, FaultKind::OtherBytes), (GATEWAY_2, SLOW)]), 10),
    Row::new("gateways", "all but the last refuse", Faults(&[(GATEWAY_1, FaultKind::Refused)]), 10),
    Row::new("PostgreSQL", "restart", RestartedPostgres, 0),
    Row::new("PostgreSQL", "down", Faults(&[(POSTGRES, FaultKind::Refused)]), 30),
    Row::new(
        "PostgreSQL",
        "connections killed every second",
        Faults(&[(POSTGRES, FaultKind::Kill(Some(Duration::from_secs(1))))]),
        10,
    ),
    Row::new("PostgreSQL", "deadlocks", Faults(&[(POSTGRES, FaultKind::Deadlock)]), 10),
    Row::new("Kafka", "broker restart", RestartedKafka, 0),
    Row::new("Kafka", "down", Faults(&[(KAFKA, FaultKind::Refused)]), 30),
    Row::new(
        "Kafka",
        "connections cut every second",
        Faults(&[(KAFKA, FaultKind::Cut(Some(Duration::from_secs(1))))]),
        10,
    ),
    Row::new("Kafka", "rebalance storm", RebalanceStorm, 24).at_least(9),
    Row::new("workers", "kill -9 of a random one every 2 s", KilledWorkers, 20).at_least(6),
    Row::new("workers", "SIGTERM", TerminatedWorkers, 0),
    // Longer than a group waits for a member: others have its partitions when it goes on.
    Row::new("workers", "a frozen one", FrozenWorker, 60).at_least(12),
    Row::new("content", "5 % poison", Poison { percent: 5 }, 20).at_least(10),
    Row::new("content", "100 % poison", Poison { percent: 100 }, 60),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own() {
        let names: HashSet<_> = ROWS.iter().map(Row::name).collect();
        assert_eq!(names.len(), ROWS.len());
    }
}
