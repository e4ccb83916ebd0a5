//! Pin servers and gateways.

use std::io::ErrorKind;

use anyhow::{Context, Result, ensure};
use devstack::content::content_id;
use devstack::faults::{Fault, FaultKind};
use reqwest::multipart::{Form, Part};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::rig::{Rig, io_kind, until};

pub async fn fails(rig: &Rig) -> Result<()> {
    pins_that_lie_or_refuse(rig).await?;
    uploads_that_break(rig).await?;
    a_provider_that_is_gone(rig).await?;
    gateways(rig).await
}

/// An account at a pin provider, by the prefix of its variables.
#[derive(Clone, Copy)]
struct Account(&'static str);

const FIRST: Account = Account("PINATA");
const BACKUP: Account = Account("PINATA_BACKUP");

impl Account {
    async fn upload(self, rig: &Rig, content: Vec<u8>) -> reqwest::Result<Response> {
        let url = format!("{}/v3/files", rig.env[&format!("{}_UPLOADS_URL", self.0)]);
        let form = Form::new().part("file", Part::bytes(content).file_name("a")).text("network", "public");
        rig.http.post(url).bearer_auth(&rig.env[&format!("{}_API_KEY", self.0)]).multipart(form).send().await
    }

    async fn get(self, rig: &Rig, path: &str) -> reqwest::Result<Response> {
        let url = format!("{}{path}", rig.env[&format!("{}_API_URL", self.0)]);
        rig.http.get(url).bearer_auth(&rig.env[&format!("{}_API_KEY", self.0)]).send().await
    }

    async fn holds(self, rig: &Rig, content: &[u8]) -> Result<bool> {
        let list: Value = self.get(rig, &format!("/v3/files/public?cid={}", content_id(content))).await?.json().await?;
        Ok(list["data"]["files"].as_array().context("a list")?.len() == 1)
    }
}

async fn cid(answer: Response) -> Result<String> {
    let answer: Value = answer.error_for_status()?.json().await?;
    Ok(answer["data"]["cid"].as_str().context("a CID")?.to_owned())
}

async fn pins_that_lie_or_refuse(rig: &Rig) -> Result<()> {
    rig.set("pins-first", FaultKind::WrongCid).await?;
    let answered = cid(FIRST.upload(rig, b"one".into()).await?).await?;
    ensure!(answered != content_id(b"one").to_string());
    ensure!(FIRST.holds(rig, b"one").await?, "it lies only about the CID");
    rig.clear("pins-first")?;

    rig.set("pins", FaultKind::OverQuota).await?;
    let answer = FIRST.upload(rig, b"two".into()).await?;
    ensure!(answer.status() == StatusCode::FORBIDDEN);
    let body: Value = answer.json().await?;
    ensure!(body["error"]["message"] == "Account blocked due to plan usage limit", "{body}");
    ensure!(FIRST.get(rig, "/data/testAuthentication").await?.status() == StatusCode::OK, "reading costs no quota");
    ensure!(BACKUP.upload(rig, b"two".into()).await?.status() == StatusCode::FORBIDDEN);
    rig.clear("pins")?;

    rig.faults.set(&Fault::new("pins-first", FaultKind::TooMany(None)).method("list")).await?;
    ensure!(FIRST.get(rig, "/v3/files/public").await?.status() == StatusCode::TOO_MANY_REQUESTS);
    ensure!(FIRST.upload(rig, b"three".into()).await?.status() == StatusCode::OK);
    rig.clear("pins-first")
}

async fn uploads_that_break(rig: &Rig) -> Result<()> {
    let large = vec![7; 20 << 20];
    rig.set("pins-first", FaultKind::HalfUpload).await?;
    let error = FIRST.upload(rig, large.clone()).await.err().context("half an upload is none")?;
    let kind = io_kind(&error);
    ensure!(matches!(kind, Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)), "{error:?}");
    ensure!(!FIRST.holds(rig, &large).await?);
    rig.clear("pins-first")?;

    rig.set("pins-first", FaultKind::DropReply).await?;
    ensure!(FIRST.upload(rig, b"unanswered".into()).await.is_err());
    rig.clear("pins-first")?;
    ensure!(FIRST.holds(rig, b"unanswered").await?, "it was carried out");
    Ok(())
}

async fn a_provider_that_is_gone(rig: &Rig) -> Result<()> {
    rig.set("pins-first", FaultKind::Refused).await?;
    until("nobody listens", async || {
        let error = FIRST.upload(rig, b"four".into()).await.err();
        Ok(error.is_some_and(|error| io_kind(&error) == Some(ErrorKind::ConnectionRefused)))
    })
    .await?;
    let backup = cid(BACKUP.upload(rig, b"four".into()).await?).await?;
    ensure!(backup == content_id(b"four").to_string());
    for gateway in 0..2 {
        ensure!(read(rig, gateway, b"four").await?.bytes().await? == "four", "gateways find what the backup holds");
    }
    rig.clear("pins-first")?;
    until("it listens again", async || Ok(FIRST.get(rig, "/data/testAuthentication").await.is_ok())).await?;
    ensure!(!FIRST.holds(rig, b"four").await?, "each account has its own contents");
    Ok(())
}

async fn read(rig: &Rig, gateway: usize, content: &[u8]) -> reqwest::Result<Response> {
    let base = rig.env["IPFS_GATEWAYS"].split(',').nth(gateway).expect("a gateway");
    rig.http.get(format!("{base}{}", content_id(content))).send().await
}

async fn gateways(rig: &Rig) -> Result<()> {
    rig.set("gateway-1", FaultKind::Status(404)).await?;
    ensure!(read(rig, 0, b"four").await?.status() == StatusCode::NOT_FOUND);
    ensure!(read(rig, 1, b"four").await?.status() == StatusCode::OK);
    rig.clear("gateway-1")?;

    rig.set("gateway-1", FaultKind::OtherBytes).await?;
    let answer = read(rig, 0, b"four").await?;
    ensure!(answer.status() == StatusCode::OK);
    let lie = answer.bytes().await?;
    ensure!(lie.len() == 4 && lie != "four", "{lie:?}");
    rig.clear("gateway-1")?;

    rig.set("gateway", FaultKind::Reset).await?;
    for gateway in 0..2 {
        let error = read(rig, gateway, b"four").await.err().context("a reset is no answer")?;
        ensure!(io_kind(&error) == Some(ErrorKind::ConnectionReset), "{error:?}");
    }
    rig.clear("gateway")
}
