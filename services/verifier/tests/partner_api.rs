//! A partner who is asked over HTTP, and what becomes of an NFT by what it says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::get;
use domain::{MintAddress, WalletAddress};
use engine::StepError;
use resilience::{BreakerSettings, HealthBoard, HealthState};
use tokio::net::TcpListener;
use verifier::PartnerApi;

const MINT: MintAddress = MintAddress::from_bytes([4; 32]);
const WALLET: WalletAddress = WalletAddress::from_bytes([9; 32]);

/// A partner that answers that, and counts how often it is asked.
async fn partner(status: StatusCode, body: &'static str) -> (PartnerApi, Arc<AtomicU32>, HealthBoard) {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let answer = move |RawQuery(query): RawQuery| {
        let expected = format!("key=hunter2&mint={MINT}&wallet={WALLET}");
        assert_eq!(query.as_deref(), Some(expected.as_str()));
        counted.fetch_add(1, Ordering::Relaxed);
        async move { (status, body) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/verify?key=hunter2", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/verify", get(answer))).await });
    let board = HealthBoard::default();
    let api = PartnerApi::new(url.parse().unwrap(), BreakerSettings::default(), board.dependency("partner-api", 2));
    (api.unwrap(), asked, board)
}

#[tokio::test]
async fn the_partners_word_counts() {
    let (says_yes, ..) = partner(StatusCode::OK, r#"{"verified":true,"more":1}"#).await;
    assert_eq!(says_yes.verify(&MINT, &WALLET).await, Ok(()));
    let (says_no, _, board) = partner(StatusCode::OK, r#"{"verified":false,"reason":"unknown collection"}"#).await;
    let Err(StepError::Permanent(failure)) = says_no.verify(&MINT, &WALLET).await else { panic!("no is no") };
    assert_eq!(failure.code, "partner-says-no");
    assert!(failure.message.contains("unknown collection"));
    assert_eq!(board.snapshot()[0].state, HealthState::Healthy, "it answers");
}

#[tokio::test]
async fn one_that_is_out_is_waited_for_and_left_alone_behind_its_breaker() {
    for (status, body, code) in [
        (StatusCode::SERVICE_UNAVAILABLE, "", "partner-api-trouble"),
        (StatusCode::NOT_FOUND, "", "partner-api-trouble"),
        (StatusCode::TOO_MANY_REQUESTS, "", "partner-api-limited"),
        (StatusCode::OK, "<html>", "partner-api-garbled"),
    ] {
        let (out, asked, _) = partner(status, body).await;
        let Err(StepError::Dependency(failure)) = out.verify(&MINT, &WALLET).await else { panic!("to be tried again") };
        assert_eq!(failure.code, code);
        assert!(!failure.message.contains("hunter2"), "{failure}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
    let (out, asked, _) = partner(StatusCode::INTERNAL_SERVER_ERROR, "").await;
    let mut last = String::new();
    for _ in 0..20 {
        let Err(StepError::Dependency(failure)) = out.verify(&MINT, &WALLET).await else { panic!("to be tried again") };
        last = failure.code.into_owned();
    }
    assert_eq!((last.as_str(), asked.load(Ordering::Relaxed)), ("partner-api-down", 5), "five failures open it");
}

#[tokio::test]
async fn an_address_with_a_key_is_never_shown() {
    let line = HealthBoard::default().dependency("partner-api", 2);
    let url = "http://127.0.0.1:1/?key=hunter2".parse().unwrap();
    let nobody = PartnerApi::new(url, BreakerSettings::default(), line).unwrap();
    let Err(StepError::Dependency(failure)) = nobody.verify(&MINT, &WALLET).await else { panic!("to be tried again") };
    assert_eq!(failure.code, "partner-api-unreachable");
    assert!(!failure.message.contains("hunter2"), "{failure}");
}
