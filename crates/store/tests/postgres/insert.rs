//! The same id, once or never.

use std::collections::HashSet;

use domain::{NewOperation, Operation, State};
use engine::{Inserted, OperationStore, StoreError};

use crate::support::{Fixture, ipfs_uploaded, named_operation, new_operation};

fn present(inserted: &Inserted) -> &Operation {
    match inserted {
        Inserted::Present(operation) => operation,
        Inserted::Conflict => panic!("a conflict"),
    }
}

#[tokio::test]
async fn what_is_answered_is_what_is_there() {
    let fixture = Fixture::new().await;
    let batch: Vec<_> = (1..=3).map(new_operation).collect();
    for inserted in fixture.store.insert(&batch).await.unwrap() {
        let operation = present(&inserted);
        assert_eq!(fixture.load(operation.id).await, *operation);
        assert_eq!((operation.state, operation.version), (State::Initiated, 1));
    }
}

#[tokio::test]
async fn a_duplicate_finds_the_row_as_it_stands_and_other_content_conflicts() {
    let fixture = Fixture::with_contents().await;
    let moved = fixture.advance(&fixture.inserted(1).await, ipfs_uploaded()).await;
    let batch = [new_operation(2), new_operation(1), named_operation(1, "Quant Ape")];
    let answers = fixture.store.insert(&batch).await.unwrap();
    assert_eq!(present(&answers[0]).state, State::Initiated);
    assert_eq!(*present(&answers[1]), moved);
    assert_eq!(answers[2], Inserted::Conflict);
    assert_eq!(fixture.load(moved.id).await, moved);
}

#[tokio::test]
async fn one_id_several_times_in_a_batch_is_one_row() {
    let fixture = Fixture::new().await;
    let batch = [new_operation(1), named_operation(1, "Quant Ape"), new_operation(1)];
    let answers = fixture.store.insert(&batch).await.unwrap();
    assert_eq!(present(&answers[0]).content.nft.name, "Tech Chicken");
    assert_eq!(answers[1], Inserted::Conflict);
    assert_eq!(answers[2], answers[0]);
    assert_eq!(fixture.store.operation(batch[0].id).await.unwrap().unwrap().history.len(), 1);
}

#[tokio::test]
async fn priority_and_trace_are_the_first_ones() {
    let fixture = Fixture::new().await;
    let first = NewOperation { trace_parent: Some("00-aa-bb-01".into()), ..new_operation(1) };
    fixture.store.insert(std::slice::from_ref(&first)).await.unwrap();
    let later = NewOperation { priority: domain::Priority::Critical, trace_parent: None, ..first.clone() };
    let answers = fixture.store.insert(&[later]).await.unwrap();
    assert_eq!(present(&answers[0]).priority, first.priority);
    assert_eq!(present(&answers[0]).trace_parent, first.trace_parent);
}

#[tokio::test]
async fn text_of_every_kind_comes_back_as_it_went() {
    let fixture = Fixture::new().await;
    let mut new = new_operation(1);
    new.content.nft.description = "quotes \" and \\ and \u{1F414} and \u{2028} and \u{7f}".into();
    new.content_hash = new.content.hash();
    fixture.store.insert(std::slice::from_ref(&new)).await.unwrap();
    let stored = fixture.load(new.id).await;
    assert_eq!(stored.content, new.content);
    assert_eq!(stored.content.hash(), new.content_hash);
}

#[tokio::test]
async fn a_nul_is_the_rows_fault() {
    let fixture = Fixture::new().await;
    let bad = NewOperation { user_id: "a\0b".into(), ..new_operation(1) };
    let refusal = fixture.store.insert(&[new_operation(2), bad]).await.unwrap_err();
    assert!(matches!(&refusal, StoreError::Row { sqlstate, .. } if sqlstate == "22P05"), "{refusal:?}");
    assert!(fixture.store.load(&[testkit::operation_id(2)]).await.unwrap().operations.is_empty());
}

#[tokio::test]
async fn twenty_processes_insert_the_same_rows_once() {
    let fixture = Fixture::new().await;
    let batch: Vec<_> = (0..50).map(new_operation).collect();
    let tasks = (0..20).map(|turn| {
        let (store, mut batch) = (fixture.store.clone(), batch.clone());
        if turn % 2 == 1 {
            batch.reverse();
        }
        tokio::spawn(async move { store.insert(&batch).await.unwrap() })
    });
    let mut seen = HashSet::new();
    for answers in futures::future::join_all(tasks).await {
        seen.extend(answers.unwrap().iter().map(|inserted| (present(inserted).id, present(inserted).updated_at)));
    }
    assert_eq!(seen.len(), 50, "every process saw the same rows");
    let history: i64 =
        sqlx::query_scalar("SELECT count(*) FROM operation_events").fetch_one(&fixture.sql).await.unwrap();
    assert_eq!(history, 50);
}
