//! What failed for good is unpinned and rolled back; on a real database, with providers in memory.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use domain::{Cid, Failure, Operation, State, Transition};
use engine::{Commit, Committed, Inserted, OperationStore as _, Pin, PinClaim, PinLedger as _, StepHandler as _};
use ipfs::PinError;
use ipfs_uploader::{PinLimits, Rollbacks, Uploader};
use store::{PoolSettings, Store};
use testkit::{Database, new_operation, operation_id};

use crate::fakes::{Provider, Rig};

struct Fleet {
    rig: Rig,
    store: Arc<Store>,
    rollbacks: Rollbacks<Provider>,
    worker: Uploader<Provider>,
    _database: Database,
}

impl Fleet {
    async fn new() -> Self {
        let database = Database::fresh().await;
        let settings = PoolSettings { min_connections: 0, ..PoolSettings::new(database.url()) };
        let store = Arc::new(Store::connect(&settings).await.unwrap());
        let rig = Rig::new();
        let providers = rig.with_backup();
        let worker = rig.worker_with(Arc::clone(&providers), &store, PinLimits::default());
        let rollbacks = Rollbacks { providers, store: Arc::clone(&store), after: Duration::ZERO };
        Self { rig, store, rollbacks, worker, _database: database }
    }

    /// A new operation that asks for the one image there is.
    async fn asked(&self, number: u64, name: &str) -> Operation {
        let mut new = new_operation(operation_id(number), DateTime::UNIX_EPOCH);
        new.content.nft.name = name.into();
        new.content.nft.image = "asset:ape.png".into();
        match self.store.insert(&[new]).await.unwrap().remove(0) {
            Inserted::Present(operation) => *operation,
            Inserted::Conflict => panic!("a conflict"),
        }
    }

    async fn commit(&self, operation: &Operation, transition: Transition) -> Committed {
        let commit = Commit { operation: operation.clone(), transition };
        self.store.commit(&[commit]).await.unwrap().remove(0)
    }

    /// Uploads as the engine has it uploaded: what is not pinned any more when it is committed is pinned again.
    async fn uploaded(&self, operation: &Operation) -> Operation {
        loop {
            let transition = self.worker.run(operation).await.unwrap();
            match self.commit(operation, transition.clone()).await {
                Committed::At(at) => return operation.after(&transition, at).unwrap(),
                Committed::NotPinned => self.worker.not_pinned(&transition),
                Committed::Overtaken => panic!("overtaken"),
            }
        }
    }

    async fn failed(&self, number: u64, name: &str) -> Operation {
        let uploaded = self.uploaded(&self.asked(number, name).await).await;
        let failure = Failure::permanent("program-error", "custom program error: 0x7");
        let failed = Transition::Failed { failure, decided: None };
        assert!(matches!(self.commit(&uploaded, failed).await, Committed::At(_)));
        uploaded
    }

    async fn load(&self, number: u64) -> Operation {
        let id = operation_id(number);
        self.store.load(&[id]).await.unwrap().operations.remove(&id).unwrap().unwrap()
    }

    async fn claim(&self, cid: &Cid) -> PinClaim {
        let pin = Pin { cid: cid.clone(), size: 1, provider: "first".into() };
        self.store.claim(&[pin]).await.unwrap().remove(0)
    }
}

fn cids(operation: &Operation) -> [Cid; 2] {
    [operation.image_cid.clone().unwrap(), operation.metadata_cid.clone().unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_for_good_is_unpinned_and_rolled_back_and_its_status_owed() {
    let fleet = Fleet::new().await;
    fleet.failed(1, "Ape").await;
    assert_eq!(fleet.rig.provider.taken().len(), 2);
    assert_eq!(fleet.rollbacks.round().await, Ok(1));
    assert!(fleet.rig.provider.taken().is_empty(), "{:?}", fleet.rig.provider.taken());
    let operation = fleet.load(1).await;
    assert_eq!((operation.state, operation.previous_state), (State::RolledBack, Some(State::Failed)));
    assert!(operation.failure.is_some(), "why it failed is told with it");
    let owed = fleet.store.claim_rollbacks(Duration::ZERO, 10).await.unwrap();
    assert!(owed.is_empty());
    for cid in cids(&operation) {
        assert!(matches!(fleet.claim(&cid).await, PinClaim::Yours { .. }), "whoever wants it pins it again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn until_its_time_has_come_a_person_may_have_it_tried_again() {
    let fleet = Fleet::new().await;
    fleet.failed(1, "Ape").await;
    let patient = Rollbacks {
        providers: fleet.rig.with_backup(),
        store: Arc::clone(&fleet.store),
        after: Duration::from_hours(1),
    };
    assert_eq!(patient.round().await, Ok(0));
    assert_eq!((fleet.load(1).await.state, fleet.rig.provider.taken().len()), (State::Failed, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_operation_uses_is_kept() {
    let fleet = Fleet::new().await;
    let failed = fleet.failed(1, "Ape").await;
    let other = fleet.uploaded(&fleet.asked(2, "Another Ape").await).await;
    let [image, metadata] = cids(&failed);
    assert_eq!(other.image_cid.as_ref(), Some(&image));
    assert_eq!(fleet.rollbacks.round().await, Ok(1));
    let taken = fleet.rig.provider.taken();
    assert!(taken.contains(&image) && !taken.contains(&metadata), "{taken:?}");
    assert_eq!(fleet.load(1).await.state, State::RolledBack);
    assert_eq!(fleet.claim(&image).await, PinClaim::Pinned);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_the_same_content_that_races_the_unpin_wins() {
    let fleet = Fleet::new().await;
    for round in 0..30 {
        let (gone, new) = (2 * round, 2 * round + 1);
        fleet.failed(gone, "Ape").await;
        // The same image and the same metadata.
        let asked = fleet.asked(new, "Ape").await;
        let late = async {
            tokio::time::sleep(Duration::from_millis(2 * round)).await;
            fleet.uploaded(&asked).await
        };
        let (rolled, uploaded) = tokio::join!(fleet.rollbacks.round(), late);
        assert_eq!(rolled, Ok(1));
        let held = fleet.rig.provider.taken();
        for cid in cids(&uploaded) {
            assert!(held.contains(&cid), "round {round}: {cid} is on record and nobody holds it");
            assert_eq!(fleet.claim(&cid).await, PinClaim::Pinned, "round {round}");
        }
        // It ends without an NFT too, so that the next round begins with nobody who uses the content.
        let failure = Failure::permanent("program-error", "custom program error: 0x7");
        fleet.commit(&uploaded, Transition::Failed { failure, decided: None }).await;
        fleet.rollbacks.round().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_unpinned_is_put_before_a_person_and_not_pinned_while_it_may_be_carried_out_yet() {
    let fleet = Fleet::new().await;
    let failed = fleet.failed(1, "Ape").await;
    fleet.rig.provider.keep(PinError::Rejected { status: 400, message: "locked".into() });
    assert_eq!(fleet.rollbacks.round().await, Ok(1));
    let operation = fleet.load(1).await;
    assert_eq!(operation.state, State::Failed);
    let reason = operation.needs_review.unwrap();
    assert!(reason.starts_with(store::NOT_UNPINNED) && reason.contains("locked"), "{reason}");
    assert_eq!(fleet.rollbacks.round().await, Ok(0), "it comes round again in ten minutes");
    assert_eq!(fleet.claim(&cids(&failed)[0]).await, PinClaim::Elsewhere);

    let passing = Fleet::new().await;
    passing.failed(1, "Ape").await;
    passing.rig.provider.keep(PinError::TimedOut);
    assert_eq!(passing.rollbacks.round().await, Ok(1));
    assert_eq!(passing.load(1).await.needs_review, None, "what may pass by itself is tried again first");
}
