//! What does the work of faults that no server's switch can.

use super::Saboteur;
use crate::chain::ForkSwitch;

/// Who works at faults.
#[derive(Debug, Clone)]
pub(crate) struct Hands {
    /// At the fleet's statements.
    pub database: Saboteur,
    /// At the chain's latest slots.
    pub chain: ForkSwitch,
}
