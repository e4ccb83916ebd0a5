//! Directories, foreign servers and IPFS as sources, with their faults.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use domain::{FailureClass, ImageSource};
use futures::StreamExt as _;
use ipfs::{ContentId, Fault, FetchOptions, Gateways, ImageFetcher, SourceError};
use url::Url;

use crate::server::{hanging_up, refusing, serve, silent};

fn fetcher(options: &FetchOptions, gateway: Url) -> ImageFetcher {
    let gateways = Gateways::new(&[gateway]).unwrap().with_patience(Duration::from_millis(400));
    ImageFetcher::new(options, gateways).unwrap()
}

/// Takes anything from anywhere, 1,000 bytes of it, for a moment.
fn open() -> FetchOptions {
    FetchOptions { allow_private: true, bytes: 1000, time: Duration::from_millis(400), ..FetchOptions::default() }
}

async fn fetch(options: &FetchOptions, source: &str) -> Result<Bytes, SourceError> {
    let source = ImageSource::parse(source).unwrap();
    fetcher(options, refusing().await).fetch(&source).await
}

async fn giving(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> String {
    serve(Router::new().route("/", get(move || async move { answer }))).await.to_string()
}

fn judged(error: &SourceError) -> (&str, FailureClass, Fault) {
    (error.code(), error.class(), error.fault())
}

#[tokio::test]
async fn an_asset_is_read_by_its_plain_name_only() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("inner")).unwrap();
    std::fs::write(dir.path().join("inner/ape.png"), "ape").unwrap();
    std::fs::write(dir.path().join("secret"), "secret").unwrap();
    let options = FetchOptions { assets: Some(dir.path().join("inner")), bytes: 5, ..FetchOptions::default() };
    let fetcher = fetcher(&options, refusing().await);
    let read = async |name: &str| fetcher.fetch(&ImageSource::Asset(name.into())).await;
    assert_eq!(read("ape.png").await, Ok(Bytes::from("ape")));
    let absolute = dir.path().join("secret");
    for name in ["hen.png", "../secret", "./ape.png", "inner/../ape.png", "..", ".", "", absolute.to_str().unwrap()] {
        let error = read(name).await.unwrap_err();
        assert_eq!(judged(&error), ("unknown-asset", FailureClass::Permanent, Fault::Input), "{name:?}");
    }
    std::fs::write(dir.path().join("inner/large.png"), "larger").unwrap();
    assert_eq!(read("large.png").await, Err(SourceError::TooLarge { limit: 5 }));
}

#[tokio::test]
async fn a_stamp_changes_with_the_asset() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ape.png");
    let options = FetchOptions { assets: Some(dir.path().into()), ..FetchOptions::default() };
    let fetcher = fetcher(&options, refusing().await);
    let stamp = async || fetcher.stamp(&ImageSource::Asset("ape.png".into())).await.unwrap().unwrap();
    write_at(&path, "one", 1);
    let first = stamp().await;
    assert_eq!(stamp().await, first);
    write_at(&path, "two", 2);
    assert_ne!(stamp().await, first);
}

/// Writes a file as if at that second.
fn write_at(path: &Path, text: &str, second: u64) {
    std::fs::write(path, text).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
}

#[tokio::test]
async fn nothing_of_ours_is_reached_through_an_address() {
    let options = FetchOptions::default();
    let port = refusing().await.port().unwrap();
    for (source, reason) in [
        ("http://example.com/a.png".to_owned(), "https is wanted"),
        (format!("https://127.0.0.1:{port}/"), "its address is not public"),
        (format!("https://[::1]:{port}/"), "its address is not public"),
        (format!("https://[::ffff:127.0.0.1]:{port}/"), "its address is not public"),
        ("https://169.254.169.254/latest/meta-data".to_owned(), "its address is not public"),
        ("https://10.0.0.1/".to_owned(), "its address is not public"),
        // Other ways to write 127.0.0.1.
        (format!("https://2130706433:{port}/"), "its address is not public"),
        (format!("https://0x7f.1:{port}/"), "its address is not public"),
        // By name.
        (format!("https://localhost:{port}/"), "its address is not public"),
    ] {
        let error = fetch(&options, &source).await.unwrap_err();
        assert!(matches!(&error, SourceError::Forbidden { reason: said, .. } if *said == reason), "{source}: {error}");
        assert_eq!(judged(&error), ("image-source-forbidden", FailureClass::Permanent, Fault::Input));
    }
}

#[tokio::test]
async fn every_status_of_a_foreign_server_has_its_class() {
    const TRANSIENT: (FailureClass, Fault) = (FailureClass::Transient, Fault::Foreign);
    const PERMANENT: (FailureClass, Fault) = (FailureClass::Permanent, Fault::Input);
    for (status, code, (class, fault)) in [
        (204, "image-source-refused", PERMANENT),
        (400, "image-source-refused", PERMANENT),
        (403, "image-source-refused", PERMANENT),
        (404, "image-source-refused", PERMANENT),
        (408, "image-source-trouble", TRANSIENT),
        (410, "image-source-refused", PERMANENT),
        (429, "image-source-rate-limited", (FailureClass::RateLimited, Fault::Foreign)),
        (500, "image-source-trouble", TRANSIENT),
        (503, "image-source-trouble", TRANSIENT),
    ] {
        let at = giving(StatusCode::from_u16(status).unwrap()).await;
        let error = fetch(&open(), &at).await.unwrap_err();
        assert_eq!(judged(&error), (code, class, fault), "{status}");
    }
}

#[tokio::test]
async fn a_foreign_server_that_is_out_is_tried_again() {
    let broken = fetch(&open(), hanging_up().await.as_str()).await.unwrap_err();
    assert_eq!(judged(&broken), ("image-source-broken", FailureClass::Transient, Fault::Foreign));
    let refused = fetch(&open(), refusing().await.as_str()).await.unwrap_err();
    assert_eq!(judged(&refused), ("image-source-unreachable", FailureClass::Outage, Fault::Foreign));
    let unknown = fetch(&open(), "http://nowhere.invalid/").await.unwrap_err();
    assert_eq!(judged(&unknown), ("image-source-unreachable", FailureClass::Outage, Fault::Foreign));
    let silent = fetch(&open(), silent().await.as_str()).await.unwrap_err();
    assert_eq!(judged(&silent), ("image-source-timeout", FailureClass::Transient, Fault::Foreign));
}

#[tokio::test]
async fn the_time_holds_for_the_whole_body() {
    let drip = || async {
        Body::from_stream(futures::stream::repeat("x").then(|drop| async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, std::io::Error>(drop)
        }))
    };
    let at = serve(Router::new().route("/", get(drip))).await;
    let error = fetch(&open(), at.as_str()).await.unwrap_err();
    assert!(matches!(error, SourceError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn size_is_bounded_whether_it_is_announced_or_not() {
    let announced = giving(vec![0_u8; 1001]).await;
    let streamed = || async {
        Body::from_stream(futures::stream::iter((0..11).map(|_| Ok::<_, std::io::Error>([0_u8; 100].to_vec()))))
    };
    let streamed = serve(Router::new().route("/", get(streamed))).await.to_string();
    for at in [announced, streamed] {
        assert_eq!(fetch(&open(), &at).await, Err(SourceError::TooLarge { limit: 1000 }));
    }
    assert_eq!(fetch(&open(), &giving(vec![7_u8; 1000]).await).await, Ok(Bytes::from(vec![7; 1000])));
}

#[tokio::test]
async fn redirects_are_followed_a_few_times_and_to_web_addresses_only() {
    let image = giving("image").await;
    let once = giving(Redirect::permanent(&image)).await;
    assert_eq!(fetch(&open(), &once).await, Ok(Bytes::from("image")));
    let around = serve(Router::new().route("/", get(|| async { Redirect::temporary("/") }))).await;
    let error = fetch(&open(), around.as_str()).await.unwrap_err();
    assert!(matches!(error, SourceError::TooManyRedirects { .. }), "{error}");
    for to in ["file:///etc/passwd", "gopher://127.0.0.1/", "http://"] {
        let error = fetch(&open(), &giving(Redirect::temporary(to)).await).await.unwrap_err();
        assert_eq!(judged(&error), ("image-source-refused", FailureClass::Permanent, Fault::Input), "{to}");
    }
}

#[tokio::test]
async fn content_of_ipfs_is_what_its_cid_names() {
    let id = ContentId::of(b"image");
    let fetch = async |gateway: Url, path: &str| {
        let source = ImageSource::parse(&format!("ipfs://{id}{path}")).unwrap();
        fetcher(&FetchOptions::default(), gateway).fetch(&source).await
    };
    let gateway =
        |answer: Result<&'static str, StatusCode>| serve(Router::new().fallback(move || async move { answer }));
    assert_eq!(fetch(gateway(Ok("image")).await, "").await, Ok(Bytes::from("image")));
    let folder = fetch(gateway(Ok("image")).await, "/a.png").await.unwrap_err();
    assert_eq!(judged(&folder), ("image-not-verifiable", FailureClass::Permanent, Fault::Input));
    let missing = fetch(gateway(Err(StatusCode::NOT_FOUND)).await, "").await.unwrap_err();
    assert_eq!(judged(&missing), ("gateways-failed", FailureClass::Transient, Fault::Foreign));
    let lying = fetch(gateway(Ok("other")).await, "").await.unwrap_err();
    assert_eq!(judged(&lying), ("gateways-failed", FailureClass::Outage, Fault::Ours));
}

#[tokio::test]
async fn errors_do_not_tell_what_stands_in_an_address() {
    let at = refusing().await;
    let secret = format!("http://user:hunter2@127.0.0.1:{}/?token=hunter3", at.port().unwrap());
    let error = fetch(&open(), &secret).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
}
