//! Rows that nothing of ours would write.

use engine::OperationStore;

use crate::support::Fixture;

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_and_hides_no_other() {
    let fixture = Fixture::new().await;
    let (good, bad) = (fixture.inserted(1).await, fixture.inserted(2).await);
    fixture.must_execute(format!("UPDATE minting_operations SET image_cid = 'odd' WHERE id = '{}'", bad.id)).await;
    let mut snapshot = fixture.store.load(&[good.id, bad.id]).await.unwrap();
    assert_eq!(snapshot.operations.remove(&good.id), Some(Ok(good)));
    let failure = snapshot.operations.remove(&bad.id).unwrap().unwrap_err();
    assert!(failure.is_permanent());
    assert_eq!(failure.message, format!("minting_operations.image_cid of {}: \"odd\" is no content id", bad.id));
}
