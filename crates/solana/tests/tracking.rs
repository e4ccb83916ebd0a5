//! Statuses of many transactions, which of them minted, and the one ground on which an attempt is over.

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{MintAddress, Signature, WalletAddress};
use futures::future::join_all;
use serde_json::{Value, json};
use solana::{Chain, ChainView, Commitment, Landing, MintState, Opinions, Watch};
use support::{FakeRpc, at, attempt, cluster, result, status};

const PATIENCE: Duration = Duration::from_secs(20);
const MINT: MintAddress = MintAddress::from_bytes([4; 32]);

fn watch(number: u16) -> Watch {
    let mut bytes = [1; 64];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    Watch { signature: Signature::from_bytes(bytes), signed_at: Some(1_000) }
}

fn landed(commitment: &str, err: &Value) -> Value {
    json!({"slot": 1_001, "confirmations": null, "err": err, "status": {"Ok": null}, "confirmationStatus": commitment})
}

fn for_each(params: &Value, status: &Value) -> Value {
    Value::Array(params[0].as_array().unwrap().iter().map(|_| status.clone()).collect())
}

#[tokio::test]
async fn three_hundred_signatures_take_two_calls() {
    let rpc = FakeRpc::start(|_, params| at(1_002, for_each(params, &landed("confirmed", &Value::Null)))).await;
    let cluster = cluster(&[&rpc.url]);
    let landings = join_all((0..300).map(|n| cluster.landing(watch(n), Commitment::Confirmed, PATIENCE))).await;
    assert!(landings.iter().all(|landing| *landing == Landing::Landed { slot: 1_001 }));
    let mut sizes: Vec<_> =
        rpc.calls("getSignatureStatuses").iter().map(|params| params[0].as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [44, 256]);
}

#[tokio::test]
async fn what_is_confirmed_is_not_final_yet_and_what_failed_says_why() {
    let rpc = FakeRpc::start(|_, params| {
        let failed = json!({"InstructionError": [2, {"Custom": 199}]});
        at(1_030, for_each(params, &landed("confirmed", &failed)))
    })
    .await;
    let cluster = cluster(&[&rpc.url]);
    let Landing::Failed { slot: 1_001, error } = cluster.landing(watch(1), Commitment::Confirmed, PATIENCE).await
    else {
        panic!("it failed");
    };
    assert_eq!(error.kind, solana::OnChainErrorKind::AlreadyThere);
    let final_soon = cluster.landing(watch(1), Commitment::Finalized, Duration::from_secs(1)).await;
    assert_eq!(final_soon, Landing::Pending { slot: 1_001 });
}

#[tokio::test]
async fn a_null_status_proves_nothing_and_old_ones_are_looked_for_in_the_history() {
    let rpc = FakeRpc::start(|_, params| at(2_000, for_each(params, &Value::Null))).await;
    let cluster = cluster(&[&rpc.url]);
    let unknown = cluster.landing(watch(1), Commitment::Finalized, Duration::from_millis(500)).await;
    assert_eq!(unknown, Landing::Unknown { tip: Some(2_000) });
    cluster.landing(watch(2), Commitment::Finalized, Duration::from_secs(3)).await;
    let histories: Vec<_> =
        rpc.calls("getSignatureStatuses").iter().map(|params| params[1]["searchTransactionHistory"].clone()).collect();
    assert_eq!(histories.first(), Some(&json!(false)), "nothing is known of the tip at first");
    assert_eq!(histories.last(), Some(&json!(true)));
}

#[tokio::test]
async fn a_failed_call_is_no_answer_and_is_made_again() {
    let calls = AtomicU64::new(0);
    let rpc = FakeRpc::start(move |_, params| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => status(500),
        _ => at(1_002, for_each(params, &landed("finalized", &Value::Null))),
    })
    .await;
    let landing = cluster(&[&rpc.url]).landing(watch(1), Commitment::Confirmed, PATIENCE).await;
    assert_eq!(landing, Landing::Landed { slot: 1_001 });
}

/// An endpoint at that finalized height, with or without an account at the mint's address.
async fn at_height(height: u64, account: Value) -> FakeRpc {
    FakeRpc::start(move |method, _| match method {
        "getEpochInfo" => result(json!({"absoluteSlot": height + 50, "blockHeight": height, "epoch": 1})),
        _ => at(height + 50, json!([account])),
    })
    .await
}

#[tokio::test]
async fn an_attempt_is_expired_when_two_endpoints_say_so() {
    let minted = json!({"lamports": 1, "owner": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "data": ["", "base64"]});
    let past = at_height(1_002, Value::Null).await;
    let also_past = at_height(1_500, Value::Null).await;
    let not_yet = at_height(1_001, Value::Null).await;
    let sees_it = at_height(1_500, minted).await;
    let broken = FakeRpc::start(|_, _| status(500)).await;
    let expired =
        async |urls: &[&str], opinions| cluster(urls).expired(attempt().last_valid_block_height, &MINT, opinions).await;
    assert_eq!(expired(&[&past.url], Opinions::Two).await, Ok(true));
    assert_eq!(expired(&[&past.url, &also_past.url], Opinions::Two).await, Ok(true));
    assert_eq!(expired(&[&not_yet.url], Opinions::Two).await, Ok(false));
    assert_eq!(expired(&[&past.url, &not_yet.url], Opinions::Two).await, Ok(false));
    assert_eq!(expired(&[&past.url, &sees_it.url], Opinions::Two).await, Ok(false));
    assert!(expired(&[&past.url, &broken.url], Opinions::Two).await.is_err());
    assert_eq!(expired(&[&past.url, &broken.url], Opinions::One).await, Ok(true));
    let read = &past.calls("getMultipleAccounts")[0][1];
    assert_eq!((&read["commitment"], &read["minContextSlot"]), (&json!("finalized"), &json!(1_052)));
}

/// The first call is held until fifty more readers have come.
#[tokio::test(flavor = "multi_thread")]
async fn readers_share_calls() {
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let rpc = FakeRpc::start(move |_, params| {
        gate.lock().unwrap().recv().ok();
        at(100, for_each(params, &Value::Null))
    })
    .await;
    let cluster = Arc::new(cluster(&[&rpc.url]));
    let read = |n: u8| {
        let cluster = Arc::clone(&cluster);
        async move {
            let (mint, owner) = (MintAddress::from_bytes([n; 32]), WalletAddress::from_bytes([9; 32]));
            cluster.nft(&mint, &owner, u64::from(n)).await.unwrap()
        }
    };
    let first = tokio::spawn(read(0));
    while rpc.calls("getMultipleAccounts").is_empty() {
        tokio::task::yield_now().await;
    }
    let mut rest = Box::pin(join_all((1..=50).map(read)));
    assert!(futures::poll!(rest.as_mut()).is_pending());
    drop(open);
    assert!(first.await.unwrap().mint.is_none());
    rest.await;
    let calls = rpc.calls("getMultipleAccounts");
    let sizes: Vec<_> = calls.iter().map(|params| params[0].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [4, 100, 100]);
    assert_eq!(calls[2][1]["minContextSlot"], json!(26));
    assert_eq!(cluster.mint_state(&MINT, Commitment::Confirmed, 0).await, Ok(MintState::Absent { lamports: 0 }));
}

#[tokio::test]
async fn of_more_transactions_than_one_call_lists_the_oldest_still_is_the_one_that_minted() {
    let signature = |number: u16| watch(number).signature.to_string();
    let list = move |before: Option<&str>| {
        // Number 2,499 is the newest; 0 is a stranger's gift, 1 failed, 2 mints.
        let newest_first = (0..2_500).rev().map(signature);
        let rest: Vec<_> = match before {
            Some(before) => newest_first.skip_while(|one| one != before).skip(1).collect(),
            None => newest_first.collect(),
        };
        let failed = signature(1);
        let listed = |one: String| json!({ "err": (one == failed).then_some("it failed"), "signature": one });
        result(rest.into_iter().take(1_000).map(listed).collect())
    };
    let show = move |which: &Value| {
        let owner = WalletAddress::from_bytes([9; 32]).to_string();
        let held = json!([{ "mint": MINT.to_string(), "owner": owner, "uiTokenAmount": { "amount": "1" } }]);
        let after = if *which == signature(2) { held } else { json!([]) };
        result(json!({ "slot": 7, "meta": { "err": null, "preTokenBalances": [], "postTokenBalances": after } }))
    };
    let rpc = FakeRpc::start(move |method, params| {
        if method == "getSignaturesForAddress" { list(params[1]["before"].as_str()) } else { show(&params[0]) }
    })
    .await;
    let minted_by = cluster(&[&rpc.url]).minted_by(&MINT).await;
    assert_eq!(minted_by, Ok(Some(watch(2).signature)));
    assert_eq!((rpc.calls("getSignaturesForAddress").len(), rpc.calls("getTransaction").len()), (3, 2));
}
