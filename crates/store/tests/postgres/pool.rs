//! Connections that fail, and what the store says of it.

use domain::FailureClass;
use engine::{OperationStore, StoreError};
use store::{PoolSettings, Store};

use crate::support::{Fixture, eventually, nobody_waits, somebody_waits};

#[tokio::test]
async fn a_server_that_is_not_there_is_an_outage_without_the_password() {
    let mut settings = PoolSettings::new("postgres://somebody:hunter2@127.0.0.1:1/nothing".to_owned());
    settings.acquire_timeout = std::time::Duration::from_millis(300);
    let error = Store::connect(&settings).await.unwrap_err();
    let StoreError::Unavailable(failure) = &error else { panic!("{error:?}") };
    assert_eq!(failure.class, FailureClass::Transient);
    assert!(!format!("{error} {error:?} {settings:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_address_that_is_none_is_misconfigured() {
    let error = Store::connect(&PoolSettings::new("postgres://u:hunter2@host:port/d".to_owned())).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(failure) if failure.code == "database-misconfigured"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn broken_connections_are_replaced() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    fixture
        .must_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    eventually("the store answers again", || async {
        match fixture.store.load(&[operation.id]).await {
            Ok(snapshot) => snapshot.operations.len() == 1,
            Err(StoreError::Unavailable(failure)) if failure.class == FailureClass::Transient => false,
            Err(error) => panic!("{error:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_is_not_answered_is_given_up() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    let mut settings = PoolSettings::new(fixture.database.url());
    settings.statement_timeout = std::time::Duration::from_millis(200);
    let impatient = Store::connect(&settings).await.unwrap();
    let mut person = fixture.sql.begin().await.unwrap();
    sqlx::query("SELECT FROM minting_operations FOR UPDATE").execute(&mut *person).await.unwrap();
    let error = impatient.flag(operation.id, "look").await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(failure) if failure.code == "database-timeout"), "{error}");
    person.rollback().await.unwrap();
}

#[tokio::test]
async fn a_statement_whose_connection_breaks_is_sent_again() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    let mut person = fixture.sql.begin().await.unwrap();
    sqlx::query("SELECT FROM minting_operations FOR UPDATE").execute(&mut *person).await.unwrap();
    let (store, id) = (fixture.store.clone(), operation.id);
    let flag = tokio::spawn(async move { store.flag(id, "look").await });
    for _ in 0..2 {
        somebody_waits(&fixture.sql, 1).await;
        let broken = fixture
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
            .await;
        assert_eq!(broken, Ok(1));
        nobody_waits(&fixture.sql).await;
    }
    somebody_waits(&fixture.sql, 1).await;
    person.rollback().await.unwrap();
    assert_eq!(flag.await.unwrap(), Ok(()));
    assert_eq!(fixture.load(id).await.needs_review.as_deref(), Some("look"));
}
