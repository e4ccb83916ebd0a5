//! The pin server and the gateways as a client sees them.

use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use devstack::content::{Gateway, PinServer, content_id};
use devstack::faults::Switch;
use ipfs::{Content, Gateways, PinProvider as _, Pinata, PinataOptions};
use reqwest::header;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

const JWT: &str = "a token";

struct Rig {
    pins: PinServer,
    gateway: Gateway,
    client: Client,
    dir: TempDir,
}

impl Rig {
    async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let pins = PinServer::start(JWT, dir.path(), &Switch::default()).await?;
        let gateway = Gateway::start(&[&pins], &Switch::default()).await?;
        Ok(Self { pins, gateway, client: Client::new(), dir })
    }

    async fn upload(&self, content: &'static [u8], network: &'static str) -> anyhow::Result<Value> {
        let form = Form::new().part("file", Part::bytes(content).file_name("a.bin")).text("network", network);
        let request = self.client.post(format!("{}/v3/files", self.pins.url())).bearer_auth(JWT).multipart(form);
        let mut answer: Value = request.send().await?.error_for_status()?.json().await?;
        Ok(answer["data"].take())
    }

    async fn get(&self, path: &str) -> anyhow::Result<reqwest::Response> {
        Ok(self.client.get(format!("{}{path}", self.gateway.url())).send().await?)
    }
}

#[tokio::test]
async fn what_is_pinned_is_served_under_its_cid() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let file = rig.upload(b"hello", "public").await?;
    assert_eq!(file["cid"], "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
    assert_eq!(file["size"], 5);
    let answer = rig.get("/ipfs/bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq").await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(answer.headers()[header::CACHE_CONTROL].to_str()?.ends_with("immutable"));
    assert_eq!(answer.bytes().await?, "hello");
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_no_cid_400() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let hidden = rig.upload(b"mine", "private").await?;
    for cid in [content_id(b"never seen").to_string(), hidden["cid"].as_str().context("a CID")?.to_owned()] {
        assert_eq!(rig.get(&format!("/ipfs/{cid}")).await?.status(), StatusCode::NOT_FOUND);
        assert_eq!(rig.get(&format!("/ipfs/{cid}/a/b")).await?.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(rig.get("/ipfs/nonsense").await?.status(), StatusCode::BAD_REQUEST);
    Ok(())
}

#[tokio::test]
async fn a_duplicate_is_answered_with_the_first_file_and_both_are_counted() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let first = rig.upload(b"same", "public").await?;
    let second = rig.upload(b"same", "public").await?;
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["is_duplicate"], true);
    assert_eq!(first.get("is_duplicate"), None);
    let counts: Value = rig.client.get(format!("{}/_counts", rig.pins.url())).send().await?.json().await?;
    assert_eq!((&counts["upload"], &counts["duplicate"]), (&2.into(), &1.into()));
    Ok(())
}

#[tokio::test]
async fn without_the_token_nothing_is_done() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    for url in ["/v3/files/public", "/data/testAuthentication"].map(|path| format!("{}{path}", rig.pins.url())) {
        assert_eq!(rig.client.get(&url).send().await?.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(rig.client.get(&url).bearer_auth("other").send().await?.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(rig.client.get(&url).bearer_auth(JWT).send().await?.status(), StatusCode::OK);
    }
    assert_eq!(rig.pins.counts()["refused"], 4);
    Ok(())
}

#[tokio::test]
async fn pins_outlive_the_server() -> anyhow::Result<()> {
    let Rig { pins, client, dir, gateway } = {
        let rig = Rig::start().await?;
        rig.upload(b"kept", "public").await?;
        let lost = rig.upload(b"deleted", "public").await?;
        let url = format!("{}/v3/files/public/{}", rig.pins.url(), lost["id"].as_str().context("an id")?);
        assert_eq!(rig.client.delete(url).bearer_auth(JWT).send().await?.status(), StatusCode::OK);
        rig
    };
    drop((pins, gateway));
    let pins = PinServer::start(JWT, dir.path(), &Switch::default()).await?;
    let gateway = Gateway::start(&[&pins], &Switch::default()).await?;
    let rig = Rig { pins, gateway, client, dir };
    assert_eq!(rig.get(&format!("/ipfs/{}", content_id(b"kept"))).await?.bytes().await?, "kept");
    assert_eq!(rig.get(&format!("/ipfs/{}", content_id(b"deleted"))).await?.status(), StatusCode::NOT_FOUND);
    Ok(())
}

/// The workers' own client, at this account.
fn client(rig: &Rig) -> anyhow::Result<Pinata> {
    let at: Url = rig.pins.url().parse()?;
    let timeout = Duration::from_secs(10);
    Ok(Pinata::new(PinataOptions { api: at.clone(), uploads: at, jwt: JWT.into(), timeout })?)
}

/// 9 MiB, of which no two blocks are alike.
fn large() -> Content {
    Content::new((0_u32..9 << 18).flat_map(u32::to_le_bytes).collect::<Vec<u8>>(), "application/octet-stream")
}

#[tokio::test]
async fn what_was_cut_elsewhere_is_the_same_file_here() -> anyhow::Result<()> {
    let (rig, content) = (Rig::start().await?, large());
    assert_eq!(content.cid().as_str(), content_id(content.bytes()).to_string());
    client(&rig)?.pin(&content).await?;
    let whole = rig.get(&format!("/ipfs/{}", content.cid())).await?.bytes().await?;
    assert!(whole == content.bytes());
    let gateways = Gateways::new(&[rig.gateway.url().parse()?])?;
    assert!(gateways.fetch(content.cid()).await? == *content.bytes());
    Ok(())
}

#[tokio::test]
async fn what_is_unpinned_is_gone_and_unpinning_it_again_is_no_error() -> anyhow::Result<()> {
    let (rig, content) = (Rig::start().await?, Content::new("hello", "text/plain"));
    let pinata = client(&rig)?;
    pinata.pin(&content).await?;
    rig.upload(b"another", "public").await?;
    pinata.unpin(content.cid()).await?;
    assert_eq!(rig.get(&format!("/ipfs/{}", content.cid())).await?.status(), StatusCode::NOT_FOUND);
    assert_eq!(rig.get(&format!("/ipfs/{}", content_id(b"another"))).await?.status(), StatusCode::OK);
    pinata.unpin(content.cid()).await?;
    pinata.pin(&content).await?;
    assert_eq!(rig.get(&format!("/ipfs/{}", content.cid())).await?.status(), StatusCode::OK);
    assert_eq!(rig.pins.counts()["delete"], 1);
    Ok(())
}

#[tokio::test]
async fn a_resumable_upload_is_the_same_file_too() -> anyhow::Result<()> {
    let (rig, content) = (Rig::start().await?, large());
    client(&rig)?.resumable_above(1 << 20).pin(&content).await?;
    let whole = rig.get(&format!("/ipfs/{}", content.cid())).await?.bytes().await?;
    assert!(whole == content.bytes());
    assert_eq!(rig.pins.counts()["upload"], 1);
    Ok(())
}

#[tokio::test]
async fn a_resumable_upload_goes_on_where_it_broke_off_and_nowhere_else() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let request = |method, path: &str| rig.client.request(method, format!("{}{path}", rig.pins.url())).bearer_auth(JWT);
    let create = request(Method::POST, "/v3/files").header("upload-length", 11);
    let created = create.header("upload-metadata", "filename YQ==,network cHVibGlj").send().await?;
    assert_eq!(created.status(), StatusCode::CREATED);
    let at = created.headers()[header::LOCATION].to_str()?.to_owned();
    let append =
        |offset: u64, piece: &'static str| request(Method::PATCH, &at).header("upload-offset", offset).body(piece);
    assert_eq!(append(0, "hello ").send().await?.status(), StatusCode::NO_CONTENT);
    assert_eq!(append(0, "hello ").send().await?.status(), StatusCode::CONFLICT);
    assert_eq!(request(Method::HEAD, &at).send().await?.headers()["upload-offset"], "6");
    assert_eq!(append(6, "world and more").send().await?.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let last = append(6, "world").send().await?;
    assert_eq!(last.headers()["upload-cid"].to_str()?, content_id(b"hello world").to_string());
    assert_eq!(request(Method::HEAD, "/v3/files/resumable/none").send().await?.status(), StatusCode::NOT_FOUND);
    Ok(())
}

#[tokio::test]
#[ignore = "wants node and npm: cargo test -p devstack --test content -- --ignored"]
async fn pinata_s_own_sdk_works() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pinata-sdk");
    let work = tempfile::tempdir()?;
    for name in ["package.json", "check.mjs"] {
        std::fs::copy(format!("{script}/{name}"), work.path().join(name))?;
    }
    let npm = |arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(work.path());
        command.env("PINATA_API_URL", rig.pins.url()).env("PINATA_UPLOADS_URL", rig.pins.url());
        command.env("PINATA_API_KEY", JWT).env("IPFS_GATEWAYS", rig.gateway.url());
        command
    };
    let mut commands = [npm(&["install", "--silent", "--no-audit", "--no-fund"]), npm(&["run", "--silent", "check"])];
    tokio::task::spawn_blocking(move || {
        for command in &mut commands {
            anyhow::ensure!(command.status()?.success(), "{command:?} failed");
        }
        Ok(())
    })
    .await?
}
