//! The store's conformance suite on the simulated PostgreSQL; `crates/store/tests/postgres/conformance.rs` runs it on the
//! real one.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Cid, MintCost, NftRecord, OperationId, Signature, State, Verdict};
use testkit::conformance::store::{Bookkeeping, Happened, StoreWorld};
use testkit::{Crash, MemoryStore, PinState, Tables};

/// Tables on the runtime's clock, which is paused.
struct Simulated {
    tables: Arc<Tables>,
    store: Arc<MemoryStore>,
}

fn process(tables: &Arc<Tables>) -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Arc::clone(tables), Arc::new(Crash::never())))
}

impl StoreWorld for Simulated {
    type Store = MemoryStore;

    async fn fresh() -> Self {
        let tables = Arc::default();
        Self { store: process(&tables), tables }
    }

    fn store(&self) -> &Arc<MemoryStore> {
        &self.store
    }

    async fn another_store(&self) -> Arc<MemoryStore> {
        process(&self.tables)
    }

    async fn pass(&self, time: Duration) {
        tokio::time::advance(time).await;
    }

    async fn attempts(&self, id: OperationId) -> Vec<(i64, Signature, Option<Verdict>)> {
        let attempts = self.tables.attempts().into_iter().filter(|row| row.operation == id);
        attempts.map(|row| (row.version, row.attempt.signature, row.verdict)).collect()
    }

    async fn costs(&self, id: OperationId) -> Vec<Option<MintCost>> {
        let attempts = self.tables.attempts().into_iter().filter(|row| row.operation == id);
        attempts.map(|row| row.attempt.cost).collect()
    }

    async fn history(&self, id: OperationId) -> Vec<Happened> {
        let history = self.tables.history(id).into_iter();
        let line = |event: testkit::OperationEvent| Happened {
            kind: event.kind.into(),
            version: event.version,
            from: event.from,
            to: event.to,
        };
        history.map(line).collect()
    }

    async fn nft(&self, id: OperationId) -> Option<(NftRecord, Option<DateTime<Utc>>)> {
        self.tables.nft(id)
    }

    async fn bookkeeping(&self, id: OperationId) -> Bookkeeping {
        self.tables.bookkeeping(id)
    }

    async fn contents_held(&self) -> usize {
        self.tables.pins().iter().filter(|(_, _, state)| *state == PinState::Pinned).count()
    }

    async fn type_pin(&self, cid: &Cid, provider: &str, state: PinState) {
        self.tables.type_pin(cid, provider, state);
    }

    async fn roll_back(&self, id: OperationId) {
        self.tables.type_over(id, |row| {
            row.previous_state = Some(row.state);
            row.state = State::RolledBack;
            row.version += 1;
        });
    }

    async fn owe_status(&self, id: OperationId) {
        self.tables.type_over(id, |_| {});
    }

    async fn wear(&self, id: OperationId) {
        self.tables.wear(id);
    }
}

testkit::store_conformance!(Simulated, tokio::test(start_paused = true));
