//! What Pinata may answer, and what becomes of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Multipart;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use domain::FailureClass;
use ipfs::{Content, PinError, PinProvider as _, Pinata, PinataOptions};
use secrecy::SecretString;
use url::Url;

use crate::server::{hanging_up, refusing, serve, silent};

const JWT: &str = "a-very-secret-token";

fn pinata(at: Url) -> Pinata {
    let jwt = SecretString::from(JWT);
    Pinata::new(PinataOptions { api: at.clone(), uploads: at, jwt, timeout: Duration::from_millis(400) }).unwrap()
}

fn hello() -> Content {
    Content::new("hello", "text/plain")
}

async fn answering(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Pinata {
    pinata(serve(Router::new().route("/v3/files", post(move || async move { answer }))).await)
}

async fn error_of(pinata: &Pinata) -> PinError {
    pinata.pin(&hello()).await.expect_err("a failure")
}

#[tokio::test]
async fn a_content_is_uploaded_for_everybody_under_its_name() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let take = async move |headers: HeaderMap, mut form: Multipart| {
        let mut fields = vec![("authorization".to_owned(), headers["authorization"].to_str().unwrap().to_owned())];
        while let Some(field) = form.next_field().await.unwrap() {
            let name = field.name().unwrap().to_owned();
            let kind = field.content_type().unwrap_or_default().to_owned();
            fields.push((name, kind + &field.text().await.unwrap()));
        }
        noted.lock().unwrap().extend(fields);
        format!(r#"{{"data":{{"id":"1","cid":"{}"}}}}"#, hello().cid())
    };
    let at = serve(Router::new().route("/v3/files", post(take))).await;
    assert_eq!(pinata(at).pin(&hello()).await, Ok(()));
    let cid = hello().cid().to_string();
    let expected = [
        ("authorization", format!("Bearer {JWT}")),
        ("network", "public".into()),
        ("name", cid),
        ("file", "text/plainhello".into()),
    ];
    assert_eq!(*seen.lock().unwrap(), expected.map(|(name, value)| (name.to_owned(), value)));
}

#[tokio::test]
async fn every_status_has_its_class() {
    for (status, code, class) in [
        (400, "pin-rejected", FailureClass::Permanent),
        (401, "pin-key-refused", FailureClass::Outage),
        (402, "pin-key-refused", FailureClass::Outage),
        (403, "pin-key-refused", FailureClass::Outage),
        (404, "pin-provider-misplaced", FailureClass::Outage),
        (408, "pin-provider-trouble", FailureClass::Transient),
        (413, "pin-rejected", FailureClass::Permanent),
        (422, "pin-rejected", FailureClass::Permanent),
        (429, "pin-rate-limited", FailureClass::RateLimited),
        (500, "pin-provider-trouble", FailureClass::Transient),
        (503, "pin-provider-trouble", FailureClass::Transient),
        (599, "pin-provider-trouble", FailureClass::Transient),
    ] {
        let failure = error_of(&answering(StatusCode::from_u16(status).unwrap()).await).await.failure();
        assert_eq!((failure.code.as_ref(), failure.class), (code, class), "{status}");
    }
}

#[tokio::test]
async fn how_long_to_wait_is_kept() {
    let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        for (header, wait) in [("17", Some(17)), ("Wed, 21 Oct 2026 07:28:17 GMT", Some(17)), ("soon", None)] {
            let error = error_of(&answering((status, [("retry-after", header), date])).await).await;
            assert_eq!(error.retry_after(), wait.map(Duration::from_secs), "{status}, {header}");
        }
    }
}

#[tokio::test]
async fn another_cid_is_a_failure_not_a_surprise() {
    let error = error_of(&answering(r#"{"data":{"cid":"bafybeiother"}}"#).await).await;
    assert_eq!(error, PinError::OtherCid { expected: hello().cid().clone(), answered: "bafybeiother".into() });
    assert_eq!(error.class(), FailureClass::Outage);
}

#[tokio::test]
async fn an_answer_that_cannot_be_understood_proves_nothing() {
    for answer in ["", "OK", r#"{"data":{}}"#, r#"{"cid":"x"}"#] {
        let error = error_of(&answering(answer).await).await;
        assert!(matches!(error, PinError::Broken(_)), "{answer:?}: {error}");
        assert_eq!(error.class(), FailureClass::Transient);
    }
    assert!(matches!(error_of(&answering(" ".repeat(100_000)).await).await, PinError::Broken(_)));
}

#[tokio::test]
async fn no_answer_at_all_has_its_class_too() {
    let unreachable = error_of(&pinata(refusing().await)).await;
    assert!(matches!(unreachable, PinError::Unreachable(_)), "{unreachable}");
    assert_eq!(unreachable.class(), FailureClass::Outage);
    let nowhere = error_of(&pinata(Url::parse("http://nowhere.invalid").unwrap())).await;
    assert!(matches!(nowhere, PinError::Unreachable(_)), "{nowhere}");
    assert_eq!(error_of(&pinata(silent().await)).await, PinError::TimedOut);
    assert_eq!(PinError::TimedOut.class(), FailureClass::Transient);
    let broken = error_of(&pinata(hanging_up().await)).await;
    assert!(matches!(broken, PinError::Broken(_)), "{broken}");
}

#[tokio::test]
async fn the_key_is_asked_for_and_never_told() {
    let at = serve(Router::new().route("/data/testAuthentication", get(|| async { "fine" }))).await;
    let good = pinata(at);
    assert_eq!(good.status().await, Ok(()));
    assert!(!format!("{good:?}").contains(JWT));
    let refused = pinata(serve(Router::new().fallback(|| async { StatusCode::UNAUTHORIZED })).await);
    let error = refused.status().await.unwrap_err();
    assert!(matches!(error, PinError::KeyRefused { status: 401, .. }), "{error}");
    assert!(!error.to_string().contains(JWT));
}
