//! How the payers stand, for whoever signs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{Failure, FailureClass, Shortage};
use resilience::{Dependency, HealthBoard};
use solana::Pubkey;
use tokio::sync::watch;

use crate::payer_pause::out_of_funds;

/// How a payer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has funds.
    Enough,
    /// It still has funds, and nobody will bring more.
    Low(Shortage),
    /// It has too little, and more is under way.
    Waiting,
    /// It has too little, and nobody brings more.
    Short(Shortage),
}

impl Standing {
    /// Whether it may sign.
    #[must_use]
    pub const fn signs(self) -> bool {
        match self {
            Self::Enough | Self::Low(_) => true,
            Self::Waiting | Self::Short(_) => false,
        }
    }
}

/// What the keeper last found of each payer. One that was not looked at yet is taken to have funds: the chain says so
/// where it has none.
#[derive(Debug)]
pub struct PayerFunds {
    standings: Mutex<HashMap<Pubkey, Standing>>,
    open: watch::Sender<bool>,
    line: Dependency,
}

/// For whoever has no keeper.
impl Default for PayerFunds {
    fn default() -> Self {
        Self::shown_on(HealthBoard::default().dependency("payer-funds", 1))
    }
}

impl PayerFunds {
    /// Shown among the dependencies: down while a payer pauses.
    #[must_use]
    pub fn shown_on(line: Dependency) -> Self {
        Self { standings: Mutex::default(), open: watch::Sender::new(true), line }
    }

    /// False while no payer may sign.
    #[must_use]
    pub fn open(&self) -> watch::Receiver<bool> {
        self.open.subscribe()
    }

    /// Whether that payer may sign.
    pub(crate) fn check(&self, payer: Pubkey) -> Result<(), Failure> {
        match self.of(&payer) {
            None | Some(Standing::Enough | Standing::Low(_)) => Ok(()),
            Some(Standing::Waiting) => Err(out_of_funds(payer, "a top-up is under way")),
            Some(Standing::Short(shortage)) => Err(out_of_funds(payer, shortage.remedy())),
        }
    }

    /// How that payer stood when it was last looked at.
    #[must_use]
    pub fn of(&self, payer: &Pubkey) -> Option<Standing> {
        self.lock().get(payer).copied()
    }

    /// Notes how a payer stands.
    pub(crate) fn note(&self, payer: Pubkey, standing: Standing) {
        let mut standings = self.lock();
        standings.insert(payer, standing);
        let open = standings.values().any(|standing| standing.signs());
        let shortage = standings.values().find_map(|standing| match standing {
            Standing::Short(shortage) => Some(*shortage),
            Standing::Enough | Standing::Low(_) | Standing::Waiting => None,
        });
        drop(standings);
        self.open.send_if_modified(|was| std::mem::replace(was, open) != open);
        match shortage {
            Some(shortage) => self.line.failed(FailureClass::Outage, shortage.as_str()),
            None => self.line.good(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Pubkey, Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_goes_on_while_any_payer_has_funds() {
        let board = HealthBoard::default();
        let funds = PayerFunds::shown_on(board.dependency("payer-funds", 1));
        let [one, other] = [1, 2].map(|byte| Pubkey::new_from_array([byte; 32]));
        let open = funds.open();
        assert!(*open.borrow() && funds.check(one).is_ok(), "nobody looked yet");
        funds.note(one, Standing::Short(Shortage::TreasuryEmpty));
        assert!(!*open.borrow());
        funds.note(other, Standing::Low(Shortage::TreasuryEmpty));
        assert!(*open.borrow() && funds.check(other).is_ok());
        let failure = funds.check(one).unwrap_err();
        assert!(failure.code == "payer-out-of-funds" && failure.message.contains("send the treasury SOL"), "{failure}");
        let line = &board.snapshot()[0];
        assert_eq!((line.state.as_str(), &*line.last_failure.as_ref().unwrap().code), ("down", "treasury-empty"));
        funds.note(one, Standing::Waiting);
        assert!(funds.check(one).is_err());
        funds.note(one, Standing::Enough);
        assert!(funds.check(one).is_ok());
        assert_eq!(board.snapshot()[0].state.as_str(), "healthy");
    }
}
