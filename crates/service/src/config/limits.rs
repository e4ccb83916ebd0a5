//! What keeps one kind of work from crowding out another.

use engine::FloodLimit;

use super::env::Env;
use super::table;

/// The limits of every consumer group of a worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkLimits {
    /// While fresh work waits, retry work has so many per cent of the places at most, from 1 to 100.
    pub retry_percent: u8,
    /// When poison is a flood.
    pub flood: FloodLimit,
}

impl WorkLimits {
    /// Reads them.
    pub fn read(env: &mut Env) -> Self {
        Self {
            retry_percent: env.number(&table::RETRY_SHARE_PERCENT, 1..=100),
            flood: FloodLimit {
                records: env.number(&table::FLOOD_RECORDS, 1..=100_000),
                percent: env.number(&table::FLOOD_POISON_PERCENT, 1..=100),
            },
        }
    }
}
