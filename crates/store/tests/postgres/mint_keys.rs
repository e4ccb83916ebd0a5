//! The master secrets by name and fingerprint.

use domain::State;

use crate::support::{Fixture, mint, submitted};

#[tokio::test]
async fn a_secret_is_recorded_once_and_its_name_stands_for_it() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.store.mint_keys().await, Ok(vec![]));
    fixture.store.record_mint_key("k1", &[1; 32]).await.unwrap();
    fixture.store.record_mint_key("k1", &[2; 32]).await.unwrap();
    let keys = fixture.store.mint_keys().await.unwrap();
    assert_eq!(keys.iter().map(|key| (&*key.key_id, key.fingerprint)).collect::<Vec<_>>(), [("k1", [1; 32])]);
    let another_name = fixture.store.record_mint_key("k2", &[1; 32]).await;
    assert!(another_name.is_err_and(|error| error.to_string().contains("23505")), "one secret, one name");
    let refusal = fixture.execute("UPDATE mint_keys SET fingerprint = sha256('x')").await;
    assert!(refusal.is_err_and(|message| message.contains("master secret k1: name and fingerprint are frozen")));
}

#[tokio::test]
async fn the_latest_secret_to_take_over_is_in_use_and_settles_once() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    for (name, byte) in [("k1", 1), ("k2", 2)] {
        store.record_mint_key(name, &[byte; 32]).await.unwrap();
        store.activate_mint_key(name).await.unwrap();
    }
    let keys = store.mint_keys().await.unwrap();
    assert_eq!((&*keys[0].key_id, &*keys[1].key_id), ("k2", "k1"));
    store.settle_mint_key(&keys[0], 100).await.unwrap();
    store.settle_mint_key(&keys[0], 200).await.unwrap();
    let settled = store.mint_keys().await.unwrap().remove(0);
    assert_eq!(settled.settled_height, Some(100), "the first one stays");

    store.activate_mint_key("k2").await.unwrap();
    assert_eq!(store.mint_keys().await.unwrap().remove(0), settled, "a restart changes nothing");
    store.activate_mint_key("k1").await.unwrap();
    let back = store.mint_keys().await.unwrap().remove(0);
    assert_eq!((&*back.key_id, back.settled_height), ("k1", None));
    store.settle_mint_key(&keys[1], 300).await.unwrap();
    assert_eq!(store.mint_keys().await.unwrap().remove(0).settled_height, None, "that was known of an earlier time");
}

#[tokio::test]
async fn a_secret_that_operations_have_their_addresses_from_stays_on_record() {
    let fixture = Fixture::with_contents().await;
    fixture.store.record_mint_key("k1", &[1; 32]).await.unwrap();
    fixture.store.record_mint_key("typo", &[2; 32]).await.unwrap();
    assert_eq!(fixture.store.address_derived_from("k1").await, Ok(None));
    let operation = fixture.standing(1, State::IpfsUploaded).await;
    fixture.advance(&operation, submitted(1, 0, None)).await;
    assert_eq!(fixture.store.address_derived_from("k1").await, Ok(Some((operation.id, mint(1)))));
    assert_eq!(fixture.execute("DELETE FROM mint_keys WHERE key_id = 'typo'").await, Ok(1));
    let refusal = fixture.execute("DELETE FROM mint_keys WHERE key_id = 'k1'").await;
    assert!(refusal.is_err_and(|message| message.contains("operations have their addresses from it")));
}
