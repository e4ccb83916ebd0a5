//! The table `burn_claims`, with its triggers, and its two statements.

use chrono::{DateTime, Utc};
use domain::{MintOrigin, Operation, OperationId, OperationKind};
use engine::{BurnClaim, BurnHolder, MintPlace, StoreError};

use super::refusal::{RAISED, refused};
use super::rows::{OperationEvent, OperationRow, RecordedAttempt, Rows};

impl Rows {
    /// Whether nothing has to be burned for it, or it holds the claim on what was.
    pub fn is_paid(&self, operation: &Operation) -> bool {
        match (operation.content.kind, MintOrigin::from(operation)) {
            (OperationKind::Upgrade, MintOrigin::Burn(burned)) => self.burns.get(&burned) == Some(&operation.id),
            (OperationKind::Upgrade, MintOrigin::Operation(_)) => false,
            (OperationKind::Unlock | OperationKind::Airdrop, _) => true,
        }
    }

    /// No transaction of an upgrade without the claim.
    pub fn refuse_unpaid(&self, row: &RecordedAttempt) -> Result<(), StoreError> {
        let operation = self.operations.get(&row.operation).map(|row| &row.operation);
        if operation.is_none_or(|operation| self.is_paid(operation)) {
            return Ok(());
        }
        let id = row.operation;
        Err(refused(RAISED, format_args!("operation {id} is an upgrade and does not hold the claim on its burn")))
    }

    pub fn claim_burn(
        &mut self,
        seen: &Operation,
        place: &MintPlace,
        now: DateTime<Utc>,
    ) -> Result<BurnClaim, StoreError> {
        let (Some(row), MintOrigin::Burn(burned)) = (self.as_seen(seen), MintOrigin::from(seen)) else {
            return Ok(BurnClaim::Overtaken);
        };
        let holder = self.burns.get(&burned).copied();
        match holder {
            Some(holder) if holder != seen.id => return Ok(self.held_by(holder)),
            Some(_) => {}
            None => {
                self.burns.put(burned, seen.id);
                self.tell(seen.id, event("burn-claimed", &row.operation, now));
            }
        }
        self.put_in_place(row, place)?;
        Ok(BurnClaim::Held)
    }

    pub fn hand_over_burn(
        &mut self,
        holder: &BurnHolder,
        heir: &Operation,
        place: &MintPlace,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (Some(mut old), Some(new), MintOrigin::Burn(burned)) =
            (self.operations.get(&holder.id).cloned(), self.as_seen(heir), MintOrigin::from(heir))
        else {
            return Ok(false);
        };
        let ended = old.operation.state.ended_without_nft() && self.open_attempt(holder.id).is_none();
        let same_wallet = old.operation.content.wallet_address == new.operation.content.wallet_address;
        let holds = self.burns.get(&burned) == Some(&holder.id);
        if !(ended && same_wallet && holds && old.operation.version == holder.version) {
            return Ok(false);
        }
        old.operation.version += 1;
        (old.operation.mint_address, old.operation.key_id) = (None, None);
        (old.operation.updated_at, old.status_owed) = (now, true);
        self.tell(holder.id, event("burn-claim-given-up", &old.operation, now));
        self.update(old)?;
        self.burns.put(burned, heir.id);
        self.tell(heir.id, event("burn-claimed", &new.operation, now));
        self.put_in_place(new, place)?;
        Ok(true)
    }

    /// The row, where it stands as it was seen.
    fn as_seen(&self, seen: &Operation) -> Option<OperationRow> {
        let row = self.operations.get(&seen.id)?;
        ((row.operation.version, row.operation.state) == (seen.version, seen.state)).then(|| row.clone())
    }

    fn put_in_place(&mut self, mut row: OperationRow, place: &MintPlace) -> Result<(), StoreError> {
        (row.operation.mint_address, row.operation.key_id) = (Some(place.mint), Some(place.key_id.clone()));
        self.update(row)
    }

    fn held_by(&self, id: OperationId) -> BurnClaim {
        let Some(OperationRow { operation, .. }) = self.operations.get(&id) else { return BurnClaim::Overtaken };
        let signed = self.attempts.iter().filter(|(_, row)| row.operation == id);
        BurnClaim::HeldBy(BurnHolder {
            id,
            version: operation.version,
            state: operation.state,
            wallet: operation.content.wallet_address,
            mint: operation.mint_address,
            newest_slot: signed.map(|(_, row)| row.attempt.context_slot).max(),
        })
    }
}

fn event(kind: &'static str, operation: &Operation, at: DateTime<Utc>) -> OperationEvent {
    OperationEvent { kind, version: operation.version, from: Some(operation.state), to: Some(operation.state), at }
}
