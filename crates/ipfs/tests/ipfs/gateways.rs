//! Gateways that are slow, gone, or lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use domain::{Cid, FailureClass};
use ipfs::{Content, GatewayError, GatewayFault, Gateways};
use url::Url;

use crate::server::{hanging_up, refusing, serve, silent};

fn hello() -> Cid {
    Content::new("hello", "text/plain").cid().clone()
}

async fn giving(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Url {
    serve(Router::new().route("/ipfs/{cid}", get(move || async move { answer }))).await
}

async fn honest() -> Url {
    let give = |Path(cid): Path<String>| async move {
        if cid == hello().as_str() { Ok("hello") } else { Err(StatusCode::NOT_FOUND) }
    };
    serve(Router::new().route("/ipfs/{cid}", get(give))).await
}

fn over(addresses: &[Url]) -> Gateways {
    Gateways::new(addresses).unwrap().with_patience(Duration::from_millis(400))
}

async fn faults(addresses: &[Url]) -> Vec<GatewayFault> {
    match over(addresses).fetch(&hello()).await {
        Err(GatewayError::AllFailed { faults, .. }) => faults.into_iter().map(|(_, fault)| fault).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whatever_the_first_ones_do_the_right_bytes_are_found() {
    let bad = [
        giving("other bytes").await,
        giving(StatusCode::NOT_FOUND).await,
        giving(StatusCode::BAD_GATEWAY).await,
        silent().await,
        refusing().await,
        hanging_up().await,
    ];
    for bad in bad {
        assert_eq!(over(&[bad, honest().await]).fetch(&hello()).await, Ok(Bytes::from("hello")));
    }
}

#[tokio::test]
async fn each_address_form_is_taken_and_redirects_are_followed() {
    let at = honest().await;
    for path in ["", "/", "/ipfs", "/ipfs/"] {
        let address = Url::parse(&format!("{}{path}", at.as_str().trim_end_matches('/'))).unwrap();
        assert!(over(&[address]).fetch(&hello()).await.is_ok(), "{path:?}");
    }
    let to = format!("{at}ipfs/{}", hello());
    assert!(over(&[giving(Redirect::temporary(&to)).await]).fetch(&hello()).await.is_ok());
}

#[tokio::test]
async fn a_lie_is_told_from_a_miss_from_silence() {
    let half = || async {
        let parts = [Ok("hel"), Err(std::io::Error::other("gone"))];
        Body::from_stream(futures::stream::iter(parts))
    };
    let cut = serve(Router::new().fallback(half)).await;
    let all = [
        giving("hellO").await,
        giving(StatusCode::NOT_FOUND).await,
        silent().await,
        refusing().await,
        giving(vec![0_u8; 5 << 20]).await,
        cut,
    ];
    let faults = faults(&all).await;
    assert_eq!(faults[..3], [GatewayFault::OtherBytes, GatewayFault::Status(404), GatewayFault::TimedOut]);
    assert!(matches!(faults[3], GatewayFault::Unreachable(_)), "{:?}", faults[3]);
    assert_eq!(faults[4], GatewayFault::TooLarge);
    assert!(matches!(faults[5], GatewayFault::Broken(_)), "{:?}", faults[5]);
}

#[tokio::test]
async fn one_clear_error_names_what_each_said() {
    let (missing, lying) = (giving(StatusCode::NOT_FOUND).await, giving("hellO").await);
    let error = over(&[missing.clone(), lying.clone()]).fetch(&hello()).await.unwrap_err();
    let port = |url: &Url| url.port().unwrap();
    let said = format!(
        "no gateway gives {}: 127.0.0.1:{} status 404, 127.0.0.1:{} gave other bytes",
        hello(),
        port(&missing),
        port(&lying)
    );
    assert_eq!(error.to_string(), said);
    assert_eq!(error.class(), FailureClass::Transient);
    assert!(error.is_missing());
}

#[tokio::test]
async fn gateways_that_are_all_out_say_nothing_of_the_content() {
    let error = over(&[refusing().await, giving("hellO").await]).fetch(&hello()).await.unwrap_err();
    assert_eq!((error.class(), error.is_missing()), (FailureClass::Outage, false));
    let error = over(&[giving(StatusCode::SERVICE_UNAVAILABLE).await]).fetch(&hello()).await.unwrap_err();
    assert_eq!((error.class(), error.is_missing()), (FailureClass::Transient, false));
}

#[tokio::test]
async fn what_cannot_be_checked_is_not_asked_for() {
    let record: Cid = "bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".parse().unwrap();
    let error = over(&[giving("anything").await]).fetch(&record).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unverifiable(_)), "{error}");
    assert_eq!(error.class(), FailureClass::Permanent);
    assert!(Gateways::new(&[]).is_err());
}

/// Counts how often it is asked.
async fn counting(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> (Url, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let give = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async move { answer }
    };
    (serve(Router::new().route("/ipfs/{cid}", get(give))).await, asked)
}

#[tokio::test]
async fn one_that_lies_or_fails_is_soon_left_alone() {
    for answer in [StatusCode::OK, StatusCode::BAD_GATEWAY] {
        let (bad, asked) = counting((answer, "other bytes")).await;
        let gateways = over(&[bad, honest().await]);
        for _ in 0..100 {
            assert!(gateways.fetch(&hello()).await.is_ok());
        }
        let asked = asked.load(Ordering::Relaxed);
        assert!((1..=5).contains(&asked), "{answer}: {asked}");
        assert!(gateways.health()[0].last_error.is_some());
    }
}

#[tokio::test]
async fn one_that_has_not_the_content_is_well() {
    let (without, asked) = counting(StatusCode::NOT_FOUND).await;
    let gateways = over(&[without]);
    for _ in 0..20 {
        assert!(gateways.fetch(&hello()).await.unwrap_err().is_missing());
    }
    assert_eq!(asked.load(Ordering::Relaxed), 20);
}

#[tokio::test]
async fn contents_that_nobody_has_make_no_gateway_slow() {
    let looking = || async {
        tokio::time::sleep(Duration::from_mins(1)).await;
    };
    let at = serve(Router::new().route("/ipfs/{cid}", get(looking))).await;
    let gateways = over(&[at]).with_patience(Duration::from_millis(20));
    for _ in 0..10 {
        let error = gateways.fetch(&hello()).await.unwrap_err();
        assert!(
            matches!(&error, GatewayError::AllFailed { faults, .. } if faults[0].1 == GatewayFault::TimedOut),
            "{error}"
        );
    }
}

#[tokio::test]
async fn while_all_are_out_none_is_asked_and_the_error_says_so() {
    let (bad, asked) = counting("hellO").await;
    let gateways = over(&[bad]);
    let mut error = gateways.fetch(&hello()).await.unwrap_err();
    for _ in 0..20 {
        error = gateways.fetch(&hello()).await.unwrap_err();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 5);
    assert!(error.to_string().ends_with("was out a moment ago and is not asked"), "{error}");
    assert_eq!(error.class(), FailureClass::Outage);
}

#[tokio::test]
async fn the_same_gateway_twice_is_refused_and_two_at_one_host_are_told_apart() {
    let at = |text| Url::parse(text).unwrap();
    let error = Gateways::new(&[at("https://ipfs.example/a"), at("https://ipfs.example/a")]).unwrap_err();
    assert_eq!(error.to_string(), "gateways: endpoint ipfs.example is given more than once");
    let gateways = Gateways::new(&[at("https://ipfs.example/a"), at("https://ipfs.example/b")]).unwrap();
    let labels: Vec<_> = gateways.health().into_iter().map(|health| health.label.to_string()).collect();
    assert_eq!(labels, ["ipfs.example", "ipfs.example#2"]);
}

#[tokio::test]
async fn one_that_says_when_it_wants_to_be_asked_again_is_left_alone_until_then() {
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let answer = move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            (status, [("retry-after", "3600")])
        };
        let busy = serve(Router::new().route("/ipfs/{cid}", get(answer))).await;
        let gateways = over(&[busy, honest().await]);
        for _ in 0..20 {
            assert_eq!(gateways.fetch(&hello()).await, Ok(Bytes::from("hello")));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{status}");
    }
}
