//! What operators ask.

use domain::{OperationKind, State, Verdict};
use engine::OperationStore;
use store::ListFilter;

use crate::support::{Fixture, database_updated, later, new_operation};

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
