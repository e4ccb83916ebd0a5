//! The same id, once or never.

use domain::{NewOperation, Operation, Priority, State};
use engine::{Inserted, OperationStore};

use super::scene::{Scene, sqlstate};
use super::world::StoreWorld;
use crate::samples::operation_id;
use crate::transitions::{ipfs_uploaded, named_operation, new_operation};

pub fn present(inserted: &Inserted) -> &Operation {
    match inserted {
        Inserted::Present(operation) => operation,
        Inserted::Conflict => panic!("a conflict"),
    }
}

pub async fn what_is_answered_is_what_is_there<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let batch: Vec<_> = (1..=3).map(new_operation).collect();
    for inserted in scene.store().insert(&batch).await.unwrap() {
        let operation = present(&inserted);
        assert_eq!(scene.load(operation.id).await, *operation);
        assert_eq!((operation.state, operation.version), (State::Initiated, 1));
    }
}

pub async fn a_duplicate_finds_the_row_as_it_stands_and_other_content_conflicts<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let moved = scene.advance(&scene.inserted(1).await, ipfs_uploaded()).await;
    let batch = [new_operation(2), new_operation(1), named_operation(1, "Quant Ape")];
    let answers = scene.store().insert(&batch).await.unwrap();
    assert_eq!(present(&answers[0]).state, State::Initiated);
    assert_eq!(*present(&answers[1]), moved);
    assert_eq!(answers[2], Inserted::Conflict);
    assert_eq!(scene.load(moved.id).await, moved);
}

pub async fn one_id_several_times_in_a_batch_is_one_row<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let batch = [new_operation(1), named_operation(1, "Quant Ape"), new_operation(1)];
    let answers = scene.store().insert(&batch).await.unwrap();
    assert_eq!(present(&answers[0]).content.nft.name, "Tech Chicken");
    assert_eq!(answers[1], Inserted::Conflict);
    assert_eq!(answers[2], answers[0]);
    assert_eq!(scene.world.history(batch[0].id).await.len(), 1);
}

pub async fn priority_and_trace_are_the_first_ones<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let first = NewOperation { trace_parent: Some("00-aa-bb-01".into()), ..new_operation(1) };
    scene.store().insert(std::slice::from_ref(&first)).await.unwrap();
    let later = NewOperation { priority: Priority::Critical, trace_parent: None, ..first.clone() };
    let answers = scene.store().insert(&[later]).await.unwrap();
    assert_eq!(present(&answers[0]).priority, first.priority);
    assert_eq!(present(&answers[0]).trace_parent, first.trace_parent);
}

pub async fn text_of_every_kind_comes_back_as_it_went<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let mut new = new_operation(1);
    new.content.nft.description = "quotes \" and \\ and \\u0000 and \u{1F414} and \u{2028} and \u{7f}".into();
    new.content_hash = new.content.hash();
    scene.store().insert(std::slice::from_ref(&new)).await.unwrap();
    let stored = scene.load(new.id).await;
    assert_eq!(stored.content, new.content);
    assert_eq!(stored.content.hash(), new.content_hash);
}

pub async fn a_nul_is_the_rows_fault<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let mut in_content = new_operation(1);
    in_content.content.nft.description = "a\0b".into();
    for bad in [NewOperation { user_id: "a\0b".into(), ..new_operation(1) }, in_content] {
        assert_eq!(sqlstate(scene.store().insert(&[new_operation(2), bad]).await), "22P05");
    }
    assert!(scene.store().load(&[operation_id(1), operation_id(2)]).await.unwrap().operations.is_empty());
}

pub async fn a_load_tells_the_databases_time_and_what_is_missing<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let operation = scene.inserted(1).await;
    let missing = operation_id(2);
    let snapshot = scene.store().load(&[missing, operation.id]).await.unwrap();
    assert_eq!(snapshot.operations.len(), 1);
    assert!(snapshot.now >= operation.updated_at);
    let nothing = scene.store().load(&[missing]).await.unwrap();
    assert!(nothing.operations.is_empty() && nothing.now >= snapshot.now);
}
