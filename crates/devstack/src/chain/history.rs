//! What every account held at each slot, and which transactions landed in it.
//!
//! surfpool keeps the newest state alone. It tells plugins of every change, and one such listener is this: so what an
//! account was at an older slot can be answered, and gone back to. Changes that no transaction made (surfpool's cheat codes)
//! are not told of: they are there at every slot.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use crossbeam_channel::{Receiver, Select, TryRecvError};
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use surfpool_core::{
    solana_account::Account,
    surfnet::{GeyserEvent, GeyserSlotStatus},
    types::TransactionWithStatusMeta,
};

/// Slots that are remembered: more than any endpoint is told to be behind.
const REMEMBERED: u64 = 2_000;

/// The past of a chain, as of now whenever it is asked.
#[derive(Debug)]
pub(crate) struct History {
    events: Receiver<GeyserEvent>,
    past: Mutex<Past>,
}

#[derive(Debug, Default)]
struct Past {
    /// The slot that transactions land in now.
    tip: u64,
    accounts: HashMap<Pubkey, Vec<Version>>,
    landed: VecDeque<(u64, Signature)>,
    ended: bool,
}

/// What an account held from a slot on. One without lamports is none.
#[derive(Debug)]
struct Version {
    slot: u64,
    account: Arc<Account>,
}

/// What a rewind undoes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Undone {
    /// Transactions that landed since.
    pub transactions: Vec<Signature>,
    /// Accounts that were written since, as they were; without lamports where there was none.
    pub accounts: Vec<(Pubkey, Account)>,
}

impl History {
    /// Listens to what the chain tells, for as long as the chain lives.
    pub(super) fn of(events: Receiver<GeyserEvent>) -> Arc<Self> {
        let history = Arc::new(Self { events, past: Mutex::default() });
        let listener = Arc::clone(&history);
        // Nobody may ask for an hour: what was told must not pile up.
        thread::spawn(move || {
            let mut events = Select::new();
            events.recv(&listener.events);
            while !listener.now().ended {
                events.ready();
            }
        });
        history
    }

    /// The open slot, and accounts that were there before anything was told of them.
    pub(super) fn begin_with(&self, tip: u64, accounts: impl IntoIterator<Item = (Pubkey, Account)>) {
        let mut past = self.now();
        past.tip = past.tip.max(tip);
        for (address, account) in accounts {
            past.accounts.entry(address).or_insert_with(|| vec![Version { slot: 0, account: account.into() }]);
        }
    }

    /// The slot that transactions land in now.
    pub(crate) fn tip(&self) -> u64 {
        self.now().tip
    }

    /// What an account was at the end of a slot, where it was written since; without lamports where there was none.
    pub(crate) fn formerly(&self, address: &Pubkey, slot: u64) -> Option<Arc<Account>> {
        let past = self.now();
        let versions = past.accounts.get(address)?;
        let later = versions.iter().position(|version| version.slot > slot)?;
        let former = later.checked_sub(1).and_then(|index| versions.get(index));
        Some(former.map(|version| Arc::clone(&version.account)).unwrap_or_default())
    }

    /// Forgets what came after a slot, and says what that was.
    pub(super) fn rewind(&self, slot: u64) -> Undone {
        self.now().rewind(slot)
    }

    /// All that was told so far is in it: the chain tells before it answers.
    fn now(&self) -> MutexGuard<'_, Past> {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match self.events.try_recv() {
                Ok(event) => past.note(event),
                Err(TryRecvError::Empty) => return past,
                Err(TryRecvError::Disconnected) => {
                    past.ended = true;
                    return past;
                }
            }
        }
    }
}

impl Past {
    fn note(&mut self, event: GeyserEvent) {
        match event {
            GeyserEvent::UpdateAccount(update) => self.write(update.pubkey, update.slot, update.account),
            GeyserEvent::NotifyTransaction(event) => self.land(&event.transaction_with_status_meta),
            GeyserEvent::UpdateSlotStatus { slot, status: GeyserSlotStatus::Confirmed, .. } => {
                self.tip = self.tip.max(slot + 1);
            }
            _ => {}
        }
    }

    /// Of transactions that failed, and of airdrops, only the balances are told.
    fn land(&mut self, transaction: &TransactionWithStatusMeta) {
        let TransactionWithStatusMeta { slot, transaction, meta } = transaction;
        self.tip = self.tip.max(*slot);
        if let Some(signature) = transaction.signatures.first() {
            self.landed.push_back((*slot, *signature));
        }
        while self.landed.front().is_some_and(|(slot, _)| slot + REMEMBERED < self.tip) {
            self.landed.pop_front();
        }
        let balances = meta.pre_balances.iter().zip(&meta.post_balances);
        for (address, (before, after)) in transaction.message.static_account_keys().iter().zip(balances) {
            let known = self.accounts.get(address).and_then(|versions| versions.last());
            let known = known.map(|version| Account::clone(&version.account)).unwrap_or_default();
            if before != after && known.lamports != *after {
                self.write(*address, *slot, Account { lamports: *after, ..known });
            }
        }
    }

    fn write(&mut self, address: Pubkey, slot: u64, account: Account) {
        let versions = self.accounts.entry(address).or_default();
        if versions.last().is_some_and(|last| last.slot == slot) {
            versions.pop();
        }
        versions.push(Version { slot, account: account.into() });
        // The newest of the old ones is what it was at the first slot that is remembered.
        let old = versions.iter().filter(|version| version.slot + REMEMBERED < slot).count();
        versions.drain(..old.saturating_sub(1));
    }

    fn rewind(&mut self, slot: u64) -> Undone {
        let mut undone = Undone::default();
        while let Some((_, signature)) = self.landed.pop_back_if(|(at, _)| *at > slot) {
            undone.transactions.push(signature);
        }
        for (address, versions) in &mut self.accounts {
            let stay = versions.partition_point(|version| version.slot <= slot);
            if stay < versions.len() {
                versions.truncate(stay);
                let former = versions.last().map(|version| Account::clone(&version.account));
                undone.accounts.push((*address, former.unwrap_or_default()));
            }
        }
        undone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(lamports: u64) -> Account {
        Account { lamports, ..Account::default() }
    }

    #[test]
    fn an_account_is_what_it_was() {
        let (_chain, events) = crossbeam_channel::unbounded();
        let history = History::of(events);
        let (old, new) = (Pubkey::new_unique(), Pubkey::new_unique());
        history.begin_with(5, [(old, holding(1))]);
        for (address, slot, lamports) in [(old, 5, 2), (old, 5, 3), (new, 6, 4), (old, 7, 0)] {
            history.now().write(address, slot, holding(lamports));
        }
        let lamports = |address, slot| history.formerly(address, slot).map(|account| account.lamports);
        assert_eq!((lamports(&old, 4), lamports(&old, 5), lamports(&old, 6)), (Some(1), Some(3), Some(3)));
        assert_eq!((lamports(&old, 7), lamports(&new, 6)), (None, None), "not written since");
        assert_eq!(lamports(&new, 5), Some(0), "there was none");
        assert_eq!(history.formerly(&Pubkey::new_unique(), 0), None);

        let mut undone = history.rewind(5).accounts;
        undone.sort_by_key(|(address, _)| *address != old);
        assert_eq!(undone, [(old, holding(3)), (new, Account::default())]);
        assert_eq!((lamports(&old, 5), lamports(&new, 5)), (None, None), "as if it had never been");
    }

    #[test]
    fn only_so_much_is_remembered() {
        let mut past = Past::default();
        let payer = Pubkey::new_unique();
        for slot in 0..3 * REMEMBERED {
            past.write(payer, slot, holding(slot + 1));
        }
        let slots: Vec<_> = past.accounts[&payer].iter().map(|version| version.slot).collect();
        assert_eq!((slots[0], slots.len() as u64), (2 * REMEMBERED - 2, REMEMBERED + 2));
    }
}
