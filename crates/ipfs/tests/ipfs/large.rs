//! Content of more than one block, there and back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Multipart, Path, Query};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use domain::FailureClass;
use ipfs::{
    Content, ContentId, GatewayError, GatewayFault, Gateways, NotAFile, PinProvider as _, Pinata, PinataOptions,
};
use url::Url;

use crate::server::{refusing, serve};

fn large() -> Content {
    Content::new((0_u32..175_000).flat_map(u32::to_le_bytes).collect::<Vec<u8>>(), "image/png")
}

/// The content as it travels, taken from Pinata's client.
async fn car() -> Bytes {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&taken);
    let take = async move |mut form: Multipart| {
        while let Some(field) = form.next_field().await.unwrap() {
            let (name, kind) = (field.name().unwrap().to_owned(), field.content_type().map(str::to_owned));
            let value = field.bytes().await.unwrap();
            noted.lock().unwrap().push((name, kind, value));
        }
        format!(r#"{{"data":{{"cid":"{}"}}}}"#, large().cid())
    };
    let at = serve(Router::new().route("/v3/files", post(take))).await;
    let options = PinataOptions { api: at.clone(), uploads: at, jwt: "jwt".into(), timeout: Duration::from_secs(10) };
    Pinata::new(options).unwrap().pin(&large()).await.unwrap();
    let mut fields = taken.lock().unwrap();
    let names: Vec<_> = fields.iter().map(|(name, kind, _)| (name.as_str(), kind.as_deref())).collect();
    let expected = [("network", None), ("name", None), ("car", None), ("file", Some("application/vnd.ipld.car"))];
    assert_eq!(names, expected);
    assert_eq!(fields[2].2, "true");
    fields.remove(3).2
}

async fn giving(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Url {
    serve(Router::new().fallback(get(move || async move { answer }))).await
}

async fn fault_of(at: Url) -> GatewayFault {
    match Gateways::new(&[at]).unwrap().fetch(large().cid()).await {
        Err(GatewayError::AllFailed { mut faults, .. }) => faults.remove(0).1,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_travels_as_a_car_comes_back_as_one() {
    let car = car().await;
    let give = async move |Path(cid): Path<String>, Query(query): Query<Vec<(String, String)>>| {
        let right = cid == large().cid().as_str() && query == [("format".to_owned(), "car".to_owned())];
        if right { Ok(car) } else { Err(StatusCode::NOT_FOUND) }
    };
    let at = serve(Router::new().route("/ipfs/{cid}", get(give))).await;
    assert!(Gateways::new(&[at]).unwrap().fetch(large().cid()).await.as_ref() == Ok(large().bytes()));
}

#[tokio::test]
async fn what_one_gateway_left_out_another_gives() {
    let car = car().await;
    let first = giving(car.slice(..car.len() - 300_000)).await;
    assert_eq!(fault_of(first.clone()).await, GatewayFault::Broken("the CAR breaks off".into()));
    // The header and the last blocks, without the root.
    let rest = Bytes::from([&car[..59], &car[59 + 38 + root_length(&car)..]].concat());
    let rest = giving(rest).await;
    assert_eq!(fault_of(rest.clone()).await, GatewayFault::Incomplete);
    let gateways = Gateways::new(&[first, rest]).unwrap();
    assert!(gateways.fetch(large().cid()).await.as_ref() == Ok(large().bytes()));
}

/// The root follows the header: two bytes of length, its id and itself.
fn root_length(car: &[u8]) -> usize {
    let length = usize::from(car[59] & 0x7f) | (usize::from(car[60]) << 7);
    length - 36
}

#[tokio::test]
async fn a_lie_about_one_block_is_noticed_at_that_block() {
    let mut car = car().await.to_vec();
    let middle = car.len() / 2;
    car[middle] ^= 1;
    assert_eq!(fault_of(giving(car).await).await, GatewayFault::OtherBytes);
    // Whoever knows no CAR gives the file itself, which proves nothing.
    let plain = fault_of(giving(large().bytes().clone()).await).await;
    assert!(matches!(plain, GatewayFault::Broken(_)), "{plain}");
    let gone = fault_of(giving(StatusCode::NOT_FOUND).await).await;
    assert_eq!(gone, GatewayFault::Status(404));
    assert!(matches!(fault_of(refusing().await).await, GatewayFault::Unreachable(_)));
}

#[tokio::test]
async fn what_is_no_file_is_refused_for_ever() {
    // An empty folder, which everybody has.
    let folder = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
    let id = ContentId::parse(folder).unwrap();
    let block = [0x0a, 0x02, 0x08, 0x01];
    assert!(id.matches(&block));
    let mut car = vec![0x01, 0x00, 40, 0x01, 0x70, 0x12, 0x20];
    let digest = &cid::Cid::try_from(folder).unwrap().to_bytes()[4..];
    car.extend(digest.iter().chain(&block));
    let gateways = Gateways::new(&[giving(car).await]).unwrap();
    let error = gateways.fetch(&folder.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, GatewayError::NotAFile { reason: NotAFile::OtherKind, .. }), "{error}");
    assert_eq!((error.class(), error.code()), (FailureClass::Permanent, "content-not-a-file"));
}
