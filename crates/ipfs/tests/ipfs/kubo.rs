//! What a Kubo node may answer, and what becomes of it; and the real one, where it is installed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Multipart, Query};
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::post;
use domain::FailureClass;
use ipfs::{Content, Gateways, Kubo, PinError, PinProvider as _};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use url::Url;

use crate::server::{hanging_up, refusing, serve, silent};

fn kubo(at: &Url) -> Kubo {
    Kubo::new(at, Duration::from_millis(400)).unwrap()
}

fn hello() -> Content {
    Content::new("hello", "text/plain")
}

fn large() -> Content {
    Content::new((0_u32..175_000).flat_map(u32::to_le_bytes).collect::<Vec<u8>>(), "image/png")
}

async fn answering(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Kubo {
    kubo(&serve(Router::new().fallback(post(move || async move { answer }))).await)
}

async fn error_of(kubo: &Kubo) -> PinError {
    kubo.pin(&hello()).await.expect_err("a failure")
}

#[tokio::test]
async fn one_block_is_added_and_more_are_imported_each_under_its_name() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let take = async move |uri: Uri, mut form: Multipart| {
        let field = form.next_field().await.unwrap().unwrap();
        let (name, cid) = (field.name().unwrap().to_owned(), field.file_name().unwrap().to_owned());
        let length = field.bytes().await.unwrap().len();
        noted.lock().unwrap().push((uri.to_string(), name, length));
        if uri.path().ends_with("import") {
            format!("{{\"Root\":{{\"Cid\":{{\"/\":\"{cid}\"}},\"PinErrorMsg\":\"\"}}}}\n")
        } else {
            format!("{{\"Name\":\"{cid}\",\"Hash\":\"{cid}\",\"Size\":\"5\"}}\n")
        }
    };
    let kubo = kubo(&serve(Router::new().fallback(post(take))).await);
    assert_eq!(kubo.pin(&hello()).await, Ok(()));
    assert_eq!(kubo.pin(&large()).await, Ok(()));
    let expected = [
        ("/api/v0/add?cid-version=1&raw-leaves=true&pin=true&progress=false", "file", 5),
        // Three leaves and their root, each behind its length and id, and a header.
        ("/api/v0/dag/import?pin-roots=true", "file", 700_000 + 372),
    ];
    let seen = seen.lock().unwrap();
    let seen: Vec<_> = seen.iter().map(|(uri, name, length)| (uri.as_str(), name.as_str(), *length)).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn every_trouble_has_its_class() {
    for (status, code, class) in [
        (400, "pin-rejected", FailureClass::Permanent),
        (401, "pin-key-refused", FailureClass::Outage),
        (404, "pin-provider-misplaced", FailureClass::Outage),
        (429, "pin-rate-limited", FailureClass::RateLimited),
        (500, "pin-provider-trouble", FailureClass::Transient),
    ] {
        let failure = error_of(&answering(StatusCode::from_u16(status).unwrap()).await).await.failure();
        assert_eq!((failure.code.as_ref(), failure.class), (code, class), "{status}");
    }
    for answer in ["", "OK", "{}", r#"{"Name":"x"}"#] {
        let error = error_of(&answering(answer).await).await;
        assert!(matches!(error, PinError::Broken(_)), "{answer:?}: {error}");
    }
    let other = error_of(&answering(r#"{"Hash":"bafybeiother"}"#).await).await;
    assert_eq!(other, PinError::OtherCid { expected: hello().cid().clone(), answered: "bafybeiother".into() });
    assert!(matches!(error_of(&kubo(&refusing().await)).await, PinError::Unreachable(_)));
    assert_eq!(error_of(&kubo(&silent().await)).await, PinError::TimedOut);
    assert!(matches!(error_of(&kubo(&hanging_up().await)).await, PinError::Broken(_)));
}

#[tokio::test]
async fn what_was_imported_and_not_pinned_is_not_pinned() {
    let half = format!(r#"{{"Root":{{"Cid":{{"/":"{}"}},"PinErrorMsg":"disk full"}}}}"#, large().cid());
    let error = answering(half).await.pin(&large()).await.unwrap_err();
    assert_eq!(error, PinError::Broken("imported and not pinned: disk full".into()));
}

#[tokio::test]
async fn its_status_is_its_version() {
    assert_eq!(answering(r#"{"Version":"0.42.0","Commit":""}"#).await.status().await, Ok(()));
    assert!(matches!(answering("<html>").await.status().await, Err(PinError::Broken(_))));
    assert!(matches!(kubo(&refusing().await).status().await, Err(PinError::Unreachable(_))));
}

#[tokio::test]
async fn what_is_not_pinned_is_unpinned() {
    let say = async |Query(query): Query<BTreeMap<String, String>>| {
        let error = if query["arg"] == hello().cid().as_str() { "not pinned or pinned indirectly" } else { "no disk" };
        (StatusCode::INTERNAL_SERVER_ERROR, format!(r#"{{"Message":"{error}","Code":0,"Type":"error"}}"#))
    };
    let kubo = kubo(&serve(Router::new().route("/api/v0/pin/rm", post(say))).await);
    assert_eq!(kubo.unpin(hello().cid()).await, Ok(()));
    assert!(matches!(kubo.unpin(large().cid()).await, Err(PinError::Server { status: 500, .. })));
}

#[tokio::test]
#[ignore = "wants Kubo's ipfs on the PATH: cargo test -p ipfs -- --ignored"]
async fn the_real_one_gives_back_what_it_was_given() {
    let repository = tempfile::tempdir().unwrap();
    let mut node = start_node(repository.path()).await;
    let kubo = Kubo::new(&address(repository.path(), "api").await, Duration::from_secs(30)).unwrap();
    let gateways = Gateways::new(&[address(repository.path(), "gateway").await]).unwrap();
    assert_eq!(kubo.status().await, Ok(()));
    for content in [hello(), large(), Content::new("", "text/plain")] {
        assert_eq!(kubo.pin(&content).await, Ok(()));
        assert_eq!(kubo.pin(&content).await, Ok(()), "twice");
        assert!(gateways.fetch(content.cid()).await.as_ref() == Ok(content.bytes()));
        assert_eq!(kubo.unpin(content.cid()).await, Ok(()));
        assert_eq!(kubo.unpin(content.cid()).await, Ok(()), "twice");
    }
    node.kill().await.unwrap();
    assert!(matches!(kubo.status().await, Err(PinError::Unreachable(_))));
}

async fn start_node(repository: &Path) -> Child {
    let ipfs = |arguments: &[&str]| {
        let mut command = Command::new("ipfs");
        command.args(arguments).env("IPFS_PATH", repository).stdout(Stdio::null()).kill_on_drop(true);
        command
    };
    assert!(ipfs(&["init", "--profile=test"]).status().await.unwrap().success());
    ipfs(&["daemon", "--offline"]).spawn().unwrap()
}

/// Where the node listens: it writes that down once it does.
async fn address(repository: &Path, what: &str) -> Url {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let text = std::fs::read_to_string(repository.join(what)).unwrap_or_default();
        let parts: Vec<_> = text.trim().split('/').collect();
        let url = match parts.as_slice() {
            ["", "ip4", host, "tcp", port] => Url::parse(&format!("http://{host}:{port}")),
            _ => Url::parse(text.trim()),
        };
        match url {
            Ok(url) => return url,
            Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
            Err(error) => panic!("no {what} within a minute: {error}"),
        }
    }
}
