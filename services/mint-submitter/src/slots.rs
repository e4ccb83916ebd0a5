//! How many mints may be under way at once, from signing to confirmation. What is signed and not confirmed ages with its
//! blockhash and is sent again and again, so a backlog waits before it is signed, not after.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::OperationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Mints under way at once. A cluster that confirms in two seconds then takes 250 a second from one process.
const UNDER_WAY: usize = 512;
/// A slot whose operation did not come back from being recorded by then went to another process.
const KEPT: Duration = Duration::from_secs(30);

/// The right to have one mint under way.
#[derive(Debug)]
pub(crate) struct Slot(
    #[expect(dead_code, reason = "held, not read: dropping it frees the slot")] OwnedSemaphorePermit,
);

#[derive(Debug)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    kept: Mutex<HashMap<OperationId, (Instant, Slot)>>,
}

impl Default for Slots {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(UNDER_WAY)), kept: Mutex::default() }
    }
}

impl Slots {
    /// The slot that was kept for an operation, or the next free one.
    pub async fn take(&self, id: &OperationId) -> Slot {
        if let Some((_, slot)) = self.kept().remove(id) {
            return slot;
        }
        self.kept().retain(|_, (since, _)| since.elapsed() < KEPT);
        let permit = Arc::clone(&self.free).acquire_owned().await;
        Slot(permit.expect("the semaphore is never closed"))
    }

    /// Keeps a slot for an operation while its signed transaction is being recorded.
    pub fn keep(&self, id: OperationId, slot: Slot) {
        self.kept().insert(id, (Instant::now(), slot));
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<OperationId, (Instant, Slot)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use testkit::operation_id;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slot_is_kept_for_its_operation_and_not_for_ever() {
        let slots = Slots { free: Arc::new(Semaphore::new(1)), kept: Mutex::default() };
        let (one, other) = (operation_id(1), operation_id(2));
        slots.keep(one, slots.take(&one).await);
        assert!(tokio::time::timeout(Duration::from_secs(1), slots.take(&other)).await.is_err());
        let slot = slots.take(&one).await;
        slots.keep(one, slot);
        tokio::time::sleep(KEPT).await;
        slots.take(&other).await;
    }
}
