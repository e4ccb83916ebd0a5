//! The master secrets against what a real database knows of them.

use domain::{State, Transition};
use engine::{Commit, Inserted, OperationStore, PinLedger};
use secrecy::SecretString;
use service::{MintKeyProblem, check_mint_keys, record_mint_keys};
use solana::{MasterSecret, MasterSecrets};
use store::{PoolSettings, Store};
use testkit::{Database, transitions};

fn masters(byte: &str) -> MasterSecrets {
    let secret = SecretString::from(byte.repeat(32));
    MasterSecrets::one(MasterSecret::parse("k1".into(), &secret).unwrap())
}

#[tokio::test]
async fn a_secret_that_does_not_derive_what_is_on_record_is_refused_even_where_it_is_new() {
    let database = Database::fresh().await;
    let settings = PoolSettings { min_connections: 0, ..PoolSettings::new(database.url()) };
    let store = Store::connect(&settings).await.unwrap();
    let Inserted::Present(operation) = store.insert(&[transitions::new_operation(1)]).await.unwrap().remove(0) else {
        panic!("a conflict")
    };
    let pins = [transitions::image(), transitions::metadata()].map(|cid| transitions::taken(transitions::pin(&cid)));
    store.pinned(&pins).await.unwrap();
    let mint = masters("17").active().address(&operation.id);
    let submitted =
        Transition::Submitted { mint, key_id: "k1".into(), attempt: transitions::attempt(1, 0), decided: None };
    let mut operation = *operation;
    for transition in [transitions::ipfs_uploaded(), submitted] {
        let now = operation.updated_at;
        let next = operation.after(&transition, now).unwrap();
        store.commit(&[Commit { operation, transition }]).await.unwrap();
        operation = next;
    }
    assert_eq!(operation.state, State::BlockchainSubmitted);

    let problems = check_mint_keys(&store, &masters("18")).await.unwrap().problems;
    assert_eq!(problems, [MintKeyProblem::OtherAddress { key_id: "k1".into(), operation: operation.id }]);
    let refusal = record_mint_keys(&store, &masters("18")).await.unwrap_err();
    assert!(!refusal.to_string().contains("1818"), "{refusal}");
    assert!(store.mint_keys().await.unwrap().is_empty(), "a wrong one is not put on record");
    assert_eq!(record_mint_keys(&store, &masters("17")).await.unwrap(), ["k1"]);
}
