//! A fork switch: what landed in the last slots never did.

use std::{fmt, sync::Arc};

use surfpool_core::{
    error::SurfpoolError,
    surfnet::{FINALIZATION_SLOT_THRESHOLD, locker::SurfnetSvmLocker, svm::SurfnetSvm},
};

use super::history::{History, Undone};

/// Slots between a transaction and its finality.
pub(crate) const FINALITY: u64 = FINALIZATION_SLOT_THRESHOLD;

/// Why the chain did not switch.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForkError {
    /// What is final is never dropped.
    #[error("1 to {most} slots can be dropped, the ones before them are final", most = FINALITY - 1)]
    Depth,
    /// The virtual machine refused.
    #[error("{0}")]
    Machine(#[from] SurfpoolError),
}

/// Switches a chain to another fork.
///
/// The transactions of the dropped slots are forgotten, and every account is what it was before them, for whoever asks.
/// Their bytes may land anew for as long as their blockhash is good. Two things are kinder than on a cluster: slots
/// and block heights go on as if the new fork had as many blocks, and blockhashes of the dropped blocks stay good.
#[derive(Clone)]
pub(crate) struct ForkSwitch {
    svm: SurfnetSvmLocker,
    history: Arc<History>,
}

impl fmt::Debug for ForkSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForkSwitch").finish_non_exhaustive()
    }
}

impl ForkSwitch {
    pub(super) const fn new(svm: SurfnetSvmLocker, history: Arc<History>) -> Self {
        Self { svm, history }
    }

    /// Drops that many of the latest slots. Answers how many transactions were in them.
    pub(crate) async fn drop_slots(&self, slots: u64) -> Result<u64, ForkError> {
        if !(1..FINALITY).contains(&slots) {
            return Err(ForkError::Depth);
        }
        let mut svm = self.svm.0.write().await;
        let last = svm.get_latest_absolute_slot().saturating_sub(slots);
        let undone = self.history.rewind(last);
        let dropped = undone.transactions.len() as u64;
        undo(&mut svm, undone, last)?;
        Ok(dropped)
    }
}

fn undo(svm: &mut SurfnetSvm, undone: Undone, last: u64) -> Result<(), ForkError> {
    for (address, account) in undone.accounts {
        svm.set_account(&address, account)?;
    }
    for signature in undone.transactions {
        svm.transactions.take(&signature.to_string()).map_err(SurfpoolError::from)?;
    }
    for slot in last + 1..=svm.get_latest_absolute_slot() {
        svm.blocks.take(&slot).map_err(SurfpoolError::from)?;
    }
    // Those of the open slot, and those that were to be final 31 slots after their own.
    svm.transactions_queued_for_confirmation.clear();
    svm.transactions_queued_for_finalization.retain(|(final_at, ..)| *final_at <= last + FINALITY);
    Ok(())
}
