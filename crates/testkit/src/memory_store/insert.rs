//! Inserting and reading operations.

use chrono::{DateTime, SubsecRound, Utc};
use domain::{NewOperation, Operation, OperationId, State};
use engine::{Inserted, Snapshot, StoreError};

use super::refusal::{UNIQUE, refused, storable_operation};
use super::rows::{OperationEvent, OperationRow, Rows};

impl Rows {
    /// Inserts what is new: the first of the batch with its id. Answers none for what was there.
    pub fn insert(&mut self, batch: &[NewOperation], now: DateTime<Utc>) -> Result<Vec<Option<Inserted>>, StoreError> {
        batch.iter().try_for_each(storable_operation)?;
        Ok(batch.iter().map(|new| self.insert_one(new, now)).collect())
    }

    fn insert_one(&mut self, new: &NewOperation, now: DateTime<Utc>) -> Option<Inserted> {
        if self.operations.get(&new.id).is_some() {
            return None;
        }
        let operation = Operation { event_at: new.event_at.round_subsecs(6), ..Operation::initiated(new, now) };
        let row = OperationRow {
            operation: operation.clone(),
            content_hash: new.content_hash,
            claimed_until: None,
            requested_at: None,
            wakes: 0,
            status_owed: false,
        };
        self.operations.put(new.id, row);
        let (version, to) = (operation.version, Some(State::Initiated));
        self.tell(new.id, OperationEvent { kind: "transition", version, from: None, to, at: now });
        Some(Inserted::Present(Box::new(operation)))
    }

    /// Answers for what was there already, as it stands by now.
    pub fn read_back(&self, batch: &[NewOperation], fresh: Vec<Option<Inserted>>) -> Result<Vec<Inserted>, StoreError> {
        let answers = batch.iter().zip(fresh).map(|(new, fresh)| match fresh {
            Some(inserted) => Ok(inserted),
            None => self.compare(new),
        });
        answers.collect()
    }

    fn compare(&self, new: &NewOperation) -> Result<Inserted, StoreError> {
        let Some((row, operation)) = self.operations.get(&new.id).zip(self.operation(new.id)) else {
            let message = format_args!("operation {} collides with another operation", new.id);
            return Err(refused(UNIQUE, message));
        };
        let same = row.content_hash == new.content_hash;
        Ok(if same { Inserted::Present(Box::new(operation)) } else { Inserted::Conflict })
    }

    pub fn load(&self, ids: &[OperationId], now: DateTime<Utc>) -> Snapshot {
        let operations = ids.iter().filter_map(|id| Some((*id, Ok(self.operation(*id)?)))).collect();
        Snapshot { now, operations }
    }
}
