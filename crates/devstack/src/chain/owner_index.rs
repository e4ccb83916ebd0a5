//! Which accounts a program owns, as surfpool asks for it, without the time it takes to ask.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};

use surfpool_core::storage::{Storage, StorageResult};

/// The index behind `getProgramAccounts`. Whenever an account changes, surfpool reads the whole list of its owner's accounts,
/// adds one and writes it back: at 4,000 NFTs that was more than half of a mint's time. Here the chain's own thread
/// reads every list as empty and so writes lists of one, which are added; everyone else reads them whole.
///
/// A closed account stays listed; surfpool passes over what it lists and does not find.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnerIndex {
    chain: Arc<OnceLock<ThreadId>>,
    accounts: HashMap<String, HashSet<String>>,
    owners: HashMap<String, String>,
}

impl OwnerIndex {
    /// An index for the chain that will run on the thread named by `chain`.
    pub(super) fn of(chain: Arc<OnceLock<ThreadId>>) -> Self {
        Self { chain, ..Self::default() }
    }

    fn asked_by_the_chain(&self) -> bool {
        self.chain.get() == Some(&thread::current().id())
    }

    fn add(&mut self, owner: &str, account: String) {
        if let Some(former) = self.owners.insert(account.clone(), owner.to_owned())
            && former != owner
            && let Some(accounts) = self.accounts.get_mut(&former)
        {
            accounts.remove(&account);
        }
        self.accounts.entry(owner.to_owned()).or_default().insert(account);
    }
}

impl Storage<String, Vec<String>> for OwnerIndex {
    fn store(&mut self, owner: String, accounts: Vec<String>) -> StorageResult<()> {
        if !self.asked_by_the_chain() {
            self.take(&owner)?;
        }
        for account in accounts {
            self.add(&owner, account);
        }
        Ok(())
    }

    fn clear(&mut self) -> StorageResult<()> {
        self.accounts.clear();
        self.owners.clear();
        Ok(())
    }

    fn get(&self, owner: &String) -> StorageResult<Option<Vec<String>>> {
        if self.asked_by_the_chain() {
            return Ok(None);
        }
        Ok(self.accounts.get(owner).map(|accounts| accounts.iter().cloned().collect()))
    }

    fn take(&mut self, owner: &String) -> StorageResult<Option<Vec<String>>> {
        let Some(accounts) = self.accounts.remove(owner) else { return Ok(None) };
        for account in &accounts {
            self.owners.remove(account);
        }
        Ok(Some(accounts.into_iter().collect()))
    }

    fn keys(&self) -> StorageResult<Vec<String>> {
        Ok(self.accounts.keys().cloned().collect())
    }

    fn into_iter(&self) -> StorageResult<Box<dyn Iterator<Item = (String, Vec<String>)> + '_>> {
        let listed =
            |(owner, accounts): (&String, &HashSet<String>)| (owner.clone(), accounts.iter().cloned().collect());
        Ok(Box::new(self.accounts.iter().map(listed)))
    }

    fn count(&self) -> StorageResult<u64> {
        Ok(self.accounts.len() as u64)
    }

    fn clone_box(&self) -> Box<dyn Storage<String, Vec<String>>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_by_others(index: &OwnerIndex, owner: &str) -> Vec<String> {
        let mut accounts = thread::scope(|scope| scope.spawn(|| index.get(&owner.into())).join())
            .expect("no panic")
            .expect("a list")
            .unwrap_or_default();
        accounts.sort();
        accounts
    }

    #[test]
    fn the_chain_adds_one_by_one_and_others_read_all() {
        let mut index = OwnerIndex::of(Arc::new(OnceLock::from(thread::current().id())));
        for account in ["a", "b", "c", "b"] {
            assert_eq!(index.get(&"program".into()).expect("readable"), None);
            index.store("program".into(), vec![account.into()]).expect("stored");
        }
        assert_eq!(seen_by_others(&index, "program"), ["a", "b", "c"]);
    }

    #[test]
    fn an_account_has_one_owner() {
        let mut index = OwnerIndex::of(Arc::new(OnceLock::from(thread::current().id())));
        index.store("first".into(), vec!["a".into(), "b".into()]).expect("stored");
        index.store("second".into(), vec!["a".into()]).expect("stored");
        assert_eq!(seen_by_others(&index, "first"), ["b"]);
        assert_eq!(seen_by_others(&index, "second"), ["a"]);
    }
}
