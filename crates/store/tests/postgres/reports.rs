//! What operators ask.

use domain::{Failure, Operation, OperationKind, State, Verdict};
use engine::{OperationStore, PutOff};
use store::ListFilter;

use crate::support::{Fixture, database_updated, failed, ipfs_uploaded, later, new_operation};

#[tokio::test]
async fn everything_is_known_of_a_verified_operation() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::Verified).await;
    let report = fixture.store.operation(operation.id).await.unwrap().unwrap();
    assert_eq!(report.operation, operation);
    let way: Vec<_> = report.history.iter().map(|entry| (entry.from, entry.to.unwrap(), entry.version)).collect();
    assert_eq!(
        way,
        [
            (None, State::Initiated, 1),
            (Some(State::Initiated), State::IpfsUploaded, 2),
            (Some(State::IpfsUploaded), State::BlockchainSubmitted, 3),
            (Some(State::BlockchainSubmitted), State::BlockchainConfirmed, 4),
            (Some(State::BlockchainConfirmed), State::DatabaseUpdated, 5),
            (Some(State::DatabaseUpdated), State::Verified, 6),
        ]
    );
    assert_eq!(report.history[2].detail["keyId"], "k1");
    assert_eq!(report.attempts.len(), 1);
    assert_eq!(report.attempts[0].verdict, Some(Verdict::Finalized));
    let nft = report.nft.unwrap();
    let domain::Transition::DatabaseUpdated { record } = database_updated(1, 0) else { unreachable!() };
    assert_eq!(nft.record, record);
    assert_eq!(nft.verified_at, Some(operation.updated_at));
    let milestones = report.milestones;
    assert_eq!((milestones.image_uploaded, milestones.failed), (None, None));
    assert_eq!(milestones.verified, Some(operation.updated_at));
    assert!(milestones.submitted > milestones.ipfs_uploaded);
    assert_eq!(fixture.store.operation(testkit::operation_id(2)).await, Ok(None));
}

#[tokio::test]
async fn lists_are_filtered_and_newest_first() {
    let fixture = Fixture::with_contents().await;
    let failed = fixture.standing(1, State::Failed).await;
    let waiting = fixture.standing(2, State::Initiated).await;
    fixture.store.flag(waiting.id, "look").await.unwrap();
    let ids = async |filter: ListFilter| -> Vec<_> {
        let list = fixture.store.list(&filter).await.unwrap();
        list.into_iter().map(|summary| summary.unwrap().operation.id).collect()
    };
    let all = ListFilter::default;
    assert_eq!(ids(all()).await, [waiting.id, failed.id]);
    assert_eq!(ids(ListFilter { limit: 1, ..all() }).await, [waiting.id]);
    assert_eq!(ids(ListFilter { state: Some(State::Failed), ..all() }).await, [failed.id]);
    assert_eq!(ids(ListFilter { needs_review: true, ..all() }).await, [waiting.id]);
    assert!(ids(ListFilter { kind: Some(OperationKind::Airdrop), ..all() }).await.is_empty());
    let wallet = new_operation(1).content.wallet_address;
    assert_eq!(ids(ListFilter { wallet: Some(wallet), ..all() }).await.len(), 2);
    assert!(ids(ListFilter { since: Some(later()), ..all() }).await.is_empty());
}

#[tokio::test]
async fn every_state_is_counted() {
    let fixture = Fixture::with_contents().await;
    for (number, state) in (0..).zip(State::ALL) {
        fixture.standing(number, state).await;
    }
    let counts = fixture.store.counts_by_state().await.unwrap();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), State::ALL.map(|state| (state, 1)));
}

#[tokio::test]
async fn the_fleet_stays_with_its_chain() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.store.identity("genesis-1").await.as_deref(), Ok("genesis-1"));
    assert_eq!(fixture.another_store().await.identity("genesis-2").await.as_deref(), Ok("genesis-1"));
}

#[tokio::test]
async fn the_schema_is_known_for_what_it_is() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.store.schema_is_current().await, Ok(true));
    fixture.store.migrate().await.unwrap();
    assert!(fixture.store.server_version().await.unwrap().starts_with(|first: char| first.is_ascii_digit()));
    fixture.must_execute("DELETE FROM _sqlx_migrations WHERE version > 3").await;
    assert_eq!(fixture.store.schema_is_current().await, Ok(false));
    fixture.must_execute("DROP TABLE _sqlx_migrations").await;
    assert_eq!(fixture.store.schema_is_current().await, Ok(false));
}

/// How often the operation was tried where it stands; and a try that failed once more.
async fn tried_again(fixture: &Fixture, operation: &Operation) -> u64 {
    let failure = Failure::transient("provider-away", "connection refused");
    let put_off = PutOff { operation: fixture.load(operation.id).await, failure, spends: true, wait: None };
    assert_eq!(fixture.store.put_off(&[put_off]).await, Ok(vec![true]));
    tries(fixture, operation).await
}

async fn tries(fixture: &Fixture, operation: &Operation) -> u64 {
    fixture.store.operation(operation.id).await.unwrap().unwrap().tries()
}

#[tokio::test]
async fn the_tries_of_the_step_that_failed_are_remembered() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.inserted(1).await;
    assert_eq!(tried_again(&fixture, &operation).await, 1);
    let operation = fixture.advance(&fixture.load(operation.id).await, ipfs_uploaded()).await;
    assert_eq!(tries(&fixture, &operation).await, 0, "another step");
    assert_eq!(tried_again(&fixture, &operation).await, 1);
    assert_eq!(tried_again(&fixture, &operation).await, 2);
    let operation = fixture.advance(&fixture.load(operation.id).await, failed(None)).await;
    assert_eq!(
        (operation.attempts, tries(&fixture, &operation).await),
        (0, 3),
        "the last one is the one that failed it"
    );
    let at_once = fixture.inserted(2).await;
    fixture.advance(&at_once, failed(None)).await;
    assert_eq!(tries(&fixture, &at_once).await, 1);
}
