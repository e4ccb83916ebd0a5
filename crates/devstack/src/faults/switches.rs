//! The switches of a stack while it is being built.

use super::{Faults, Hands, Part, Switch};

/// Hands out a switch per target, for the board to know them all.
#[derive(Debug, Default)]
pub(crate) struct Switches(Vec<(String, Part, Switch)>);

impl Switches {
    /// The switch of a new target.
    pub(crate) fn add(&mut self, part: Part, target: impl Into<String>) -> Switch {
        let switch = Switch::default();
        self.0.push((target.into(), part, switch.clone()));
        switch
    }

    /// The board of them all.
    pub(crate) fn into_board(self, hands: Hands) -> Faults {
        Faults::new(self.0, hands)
    }
}
