//! What an endpoint does wrong, what class of failure that is, and what it means for a send.

mod support;

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use domain::{FailureClass, Priority};
use serde_json::{Value, json};
use solana::{Chain, OnChainErrorKind, RpcError, SendOutcome};
use solana_client::rpc_request::RpcRequest;
use support::{FakeRpc, GENESIS, at, attempt, cluster, endpoints, error, result, status};

type Answer = fn() -> Response;

async fn failure_of(answer: impl Fn() -> Response + Send + Sync + 'static) -> RpcError {
    let rpc = FakeRpc::start(move |_, _| answer()).await;
    let failure = endpoints(&[&rpc.url]).ask::<u64>(RpcRequest::GetSlot, Value::Null).await.unwrap_err();
    assert_eq!(rpc.calls("getSlot").len(), 1, "one request a call");
    failure
}

#[tokio::test]
async fn every_failure_has_its_class_and_code() {
    let resting = |status: u16, retry_after: &'static str| {
        let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        let status = axum::http::StatusCode::from_u16(status).unwrap();
        failure_of(move || (status, [("retry-after", retry_after), date]).into_response())
    };
    for (status, class) in [(429, FailureClass::RateLimited), (503, FailureClass::Transient)] {
        for retry_after in ["7", "Wed, 21 Oct 2026 07:28:07 GMT"] {
            let failure = resting(status, retry_after).await;
            assert_eq!((failure.class(), failure.retry_after()), (class, Some(Duration::from_secs(7))), "{failure}");
        }
    }
    let cases: [(Answer, FailureClass, &str); 11] = [
        (|| status(429), FailureClass::RateLimited, "rpc-rate-limited"),
        (|| error(429, "slow down", Value::Null), FailureClass::RateLimited, "rpc-rate-limited"),
        (|| status(502), FailureClass::Transient, "rpc-http-status"),
        (|| status(403), FailureClass::Outage, "rpc-http-status"),
        (|| "<html>".into_response(), FailureClass::Transient, "rpc-unparsable"),
        (|| "{}".into_response(), FailureClass::Transient, "rpc-unparsable"),
        (|| result(json!("no number")), FailureClass::Transient, "rpc-unparsable"),
        (|| error(-32005, "behind", json!({"numSlotsBehind": 9})), FailureClass::Degraded, "rpc-unhealthy"),
        (|| error(-32016, "min context slot", Value::Null), FailureClass::Degraded, "rpc-behind"),
        (|| error(-32603, "internal", Value::Null), FailureClass::Transient, "rpc-internal"),
        (|| error(-32602, "invalid params", Value::Null), FailureClass::Outage, "rpc-refused"),
    ];
    for (answer, class, code) in cases {
        let failure = failure_of(answer).await;
        assert_eq!((failure.class(), failure.code()), (class, code), "{failure}");
    }
}

#[tokio::test]
async fn what_is_not_there_or_breaks_or_hangs_is_told_apart() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ask =
        |url: String| async move { endpoints(&[&url]).ask::<u64>(RpcRequest::GetSlot, Value::Null).await.unwrap_err() };
    let hanging = tokio::spawn(ask(format!("http://{address}/?api-key=hunter2")));
    let (held, _) = listener.accept().await.unwrap();
    assert_eq!(hanging.await.unwrap().code(), "rpc-timeout");
    drop(held);
    let breaking = tokio::spawn(ask(format!("http://{address}/?api-key=hunter2")));
    drop(listener.accept().await.unwrap());
    assert_eq!(breaking.await.unwrap().code(), "rpc-connection-broken");
    drop(listener);
    let refused = ask(format!("http://{address}/?api-key=hunter2")).await;
    assert_eq!((refused.class(), refused.code()), (FailureClass::Outage, "rpc-unreachable"));
    let shown = format!("{refused} {refused:?}");
    assert!(!shown.contains("hunter2") && !shown.contains(&address.port().to_string()), "{shown}");
}

#[tokio::test]
async fn the_next_endpoint_answers_and_the_failed_one_comes_last() {
    let broken = FakeRpc::start(|_, _| status(503)).await;
    let good = FakeRpc::start(|_, _| result(json!(7))).await;
    let both = endpoints(&[&broken.url, &good.url]);
    for _ in 0..3 {
        let answer = both.ask::<u64>(RpcRequest::GetSlot, Value::Null).await.unwrap();
        assert_eq!((answer.value, &*answer.endpoint), (7, "e1"));
    }
    assert_eq!((broken.calls("getSlot").len(), good.calls("getSlot").len()), (1, 3));
}

#[tokio::test]
async fn an_endpoint_of_another_cluster_is_refused() {
    let ours = FakeRpc::start(|_, _| result(json!(GENESIS))).await;
    let other = FakeRpc::start(|_, _| result(json!("another"))).await;
    let both = endpoints(&[&ours.url, &other.url]);
    let refused = both.check_cluster(None).await.unwrap_err();
    assert_eq!((refused.code(), &*refused.endpoint), ("rpc-wrong-cluster", "e1"));
    assert_eq!(endpoints(&[&ours.url]).check_cluster(Some("another")).await.unwrap_err().code(), "rpc-wrong-cluster");
}

#[tokio::test]
async fn an_endpoint_that_could_not_be_asked_is_checked_before_its_first_use() {
    let ours = FakeRpc::start(|_, _| result(json!(GENESIS))).await;
    let late = FakeRpc::start({
        let calls = std::sync::atomic::AtomicU32::new(0);
        move |_, _| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => status(503),
            _ => result(json!("another")),
        }
    })
    .await;
    let both = endpoints(&[&ours.url, &late.url]);
    let check = both.check_cluster(None).await.unwrap();
    assert_eq!((check.genesis.as_str(), check.unreachable.len()), (GENESIS, 1));
    let refused = both.list().nth(1).unwrap().call::<String>(RpcRequest::GetVersion, Value::Null).await.unwrap_err();
    assert_eq!(refused.code(), "rpc-wrong-cluster");
    assert!(late.calls("getVersion").is_empty());
}

async fn outcome_of(answer: impl Fn() -> Response + Send + Sync + 'static) -> SendOutcome {
    let rpc = FakeRpc::start(move |_, _| answer()).await;
    cluster(&[&rpc.url]).send(&attempt(), Priority::Normal, 0, true).await
}

fn preflight(err: &Value) -> Response {
    let data =
        json!({ "err": err, "logs": ["Program log: no"], "accounts": null, "unitsConsumed": 0, "returnData": null });
    error(-32002, "Transaction simulation failed", data)
}

#[tokio::test]
async fn every_answer_to_a_send_has_its_meaning() {
    let told = |outcome: &SendOutcome| match outcome {
        SendOutcome::Accepted => "accepted",
        SendOutcome::AlreadyProcessed => "already-processed",
        SendOutcome::BlockhashNotFound(_) => "blockhash-not-found",
        SendOutcome::Behind(_) => "behind",
        SendOutcome::RateLimited(_) => "rate-limited",
        SendOutcome::NotReached(_) => "not-reached",
        SendOutcome::MayHaveLanded(_) => "may-have-landed",
        SendOutcome::FailedPreflight { error, .. } => match error.kind {
            OnChainErrorKind::AlreadyThere => "already-there",
            OnChainErrorKind::NoFunds => "no-funds",
            OnChainErrorKind::NoUnits => "no-units",
            OnChainErrorKind::Passing => "passing",
            OnChainErrorKind::Hopeless => "hopeless",
        },
    };
    let cases: [(Answer, &str); 16] = [
        (|| result(json!("5sig")), "accepted"),
        (|| preflight(&json!("AlreadyProcessed")), "already-processed"),
        (|| error(-32603, "internal: This transaction has already been processed", Value::Null), "already-processed"),
        (|| preflight(&json!("BlockhashNotFound")), "blockhash-not-found"),
        (|| error(-32002, "Transaction simulation failed: Blockhash not found", Value::Null), "blockhash-not-found"),
        (|| preflight(&json!("InsufficientFundsForFee")), "no-funds"),
        (|| preflight(&json!({"InstructionError": [0, {"Custom": 1}]})), "no-funds"),
        (|| preflight(&json!({"InstructionError": [2, {"Custom": 199}]})), "already-there"),
        (|| preflight(&json!({"InstructionError": [2, "ComputationalBudgetExceeded"]})), "no-units"),
        (|| preflight(&json!({"InstructionError": [2, {"Custom": 36}]})), "hopeless"),
        (|| error(-32005, "Node is behind by 42 slots", json!({"numSlotsBehind": 42})), "behind"),
        (|| error(-32016, "Minimum context slot has not been reached", Value::Null), "behind"),
        (|| status(429), "rate-limited"),
        (|| status(500), "may-have-landed"),
        (|| status(401), "not-reached"),
        (|| "<html>".into_response(), "may-have-landed"),
    ];
    for (answer, meaning) in cases {
        let outcome = outcome_of(answer).await;
        assert_eq!(told(&outcome), meaning, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_send_goes_elsewhere_at_once_and_alternates() {
    let behind = FakeRpc::start(|_, _| error(-32016, "behind", Value::Null)).await;
    let good = FakeRpc::start(|_, _| result(json!("5sig"))).await;
    let both = cluster(&[&behind.url, &good.url]);
    assert_eq!(both.send(&attempt(), Priority::Normal, 0, true).await, SendOutcome::Accepted);
    let params = &good.calls("sendTransaction")[0];
    assert_eq!(params[0], json!("AQID"));
    assert_eq!(
        params[1],
        json!({"encoding": "base64", "maxRetries": 0, "skipPreflight": false, "preflightCommitment": "confirmed",
               "minContextSlot": 900})
    );
    let first = FakeRpc::start(|_, _| result(json!("5sig"))).await;
    let second = FakeRpc::start(|_, _| result(json!("5sig"))).await;
    let both = cluster(&[&first.url, &second.url]);
    for round in 0..4 {
        both.send(&attempt(), Priority::Normal, round, false).await;
    }
    assert_eq!((first.calls("sendTransaction").len(), second.calls("sendTransaction").len()), (2, 2));
}

#[tokio::test]
async fn the_blockhash_comes_from_the_next_endpoint_and_is_shared() {
    let broken = FakeRpc::start(|_, _| status(500)).await;
    let good = FakeRpc::start(|_, _| {
        at(77, json!({"blockhash": "11111111111111111111111111111111", "lastValidBlockHeight": 227}))
    })
    .await;
    let both = cluster(&[&broken.url, &good.url]);
    let (one, two) = tokio::join!(both.blockhash(), both.blockhash());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.last_valid_block_height, one.context_slot, &*one.endpoint), (227, 77, "e1"));
    assert_eq!(one, two);
    assert_eq!(good.calls("getLatestBlockhash"), [json!([{"commitment": "confirmed"}])]);
}
