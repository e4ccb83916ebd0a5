//! The parts that containers run, as their commands start them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use devstack::TOKEN_METADATA;
use devstack::content::DRAWINGS;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use solana_sdk::signer::{Signer as _, keypair::read_keypair_file};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const ANY: &str = "127.0.0.1:0";

fn devstack(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devstack"));
    command.args(arguments).kill_on_drop(true);
    command
}

/// A `devstack serve` that runs.
struct Served {
    process: Child,
    says: Lines<BufReader<ChildStdout>>,
}

impl Served {
    fn start(arguments: &[&str]) -> Result<Self> {
        let mut process = devstack(&[&["serve"][..], arguments].concat()).stdout(Stdio::piped()).spawn()?;
        let says = BufReader::new(process.stdout.take().context("its stdout")?).lines();
        Ok(Self { process, says })
    }

    /// The next line that it prints.
    async fn line(&mut self) -> Result<String> {
        self.says.next_line().await?.context("it ended")
    }

    async fn terminate(mut self) -> Result<()> {
        let pid = self.process.id().context("it ended")?;
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
        let status = self.process.wait().await?;
        ensure!(status.success(), "{status}");
        Ok(())
    }
}

async fn rpc(url: &str, method: &str, params: Value) -> Result<Value> {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut reply: Value = Client::new().post(url).json(&call).send().await?.json().await?;
    ensure!(reply["error"].is_null(), "{reply}");
    Ok(reply["result"].take())
}

async fn provision(dir: &Path, url: &str) -> Result<()> {
    let arguments = ["provision", "--rpc", url, "--dir", dir.to_str().context("a plain path")?];
    ensure!(devstack(&arguments).status().await?.success());
    Ok(())
}

#[tokio::test]
async fn a_chain_is_served_and_its_payer_provided_for() -> Result<()> {
    let mut chain = Served::start(&["chain", "--listen", &[ANY, ANY].join(","), "--slot-ms", "50"])?;
    let (first, second) = (chain.line().await?, chain.line().await?);
    let first = first.strip_prefix("rpc-1=").context("the first endpoint")?;
    let second = second.strip_prefix("rpc-2=").context("the second endpoint")?;
    let program = rpc(second, "getAccountInfo", json!([TOKEN_METADATA, { "encoding": "base64" }])).await?;
    assert_eq!(program["value"]["executable"], true);

    let place = tempfile::tempdir()?;
    let key = |name: &str| place.path().join(name);
    provision(place.path(), first).await?;
    let payer = read_keypair_file(key("mint-keys/payer.json")).map_err(|error| anyhow::anyhow!("{error}"))?;
    let balance =
        async || rpc(second, "getBalance", json!([payer.pubkey().to_string(), { "commitment": "confirmed" }])).await;
    let given = balance().await?["value"].clone();
    assert!(given.as_u64() > Some(0), "{given}");
    let secrets = ["mint-keys/payer.json", "mint-keys/master-secret", "pin-keys/first", "pin-keys/backup"];
    for secret in secrets {
        assert_eq!(fs::metadata(key(secret))?.permissions().mode() & 0o777, 0o600, "{secret}");
    }
    assert_eq!(fs::read_dir(key("assets"))?.count(), DRAWINGS.len());

    // A second time changes nothing.
    let read = || secrets.map(|secret| fs::read(key(secret)).ok());
    let before = read();
    provision(place.path(), first).await?;
    assert_eq!(read(), before);
    assert_eq!(balance().await?["value"], given);
    chain.terminate().await
}

#[tokio::test]
async fn what_is_pinned_in_an_account_is_read_at_a_gateway_and_outlives_a_restart() -> Result<()> {
    let place = tempfile::tempdir()?;
    fs::write(place.path().join("first"), "first token\n")?;
    fs::write(place.path().join("backup"), "backup token\n")?;
    let account = |name: &str| format!("{ANY}={}", place.path().join(name).display());
    let dir = place.path().join("pins").display().to_string();
    let (first, backup) = (account("first"), account("backup"));
    let arguments = ["pins", "--dir", &dir, "--account", &first, "--account", &backup, "--gateway", ANY];

    let mut pins = Served::start(&arguments)?;
    let (_, backup, gateway) = (pins.line().await?, pins.line().await?, pins.line().await?);
    let upload = async |token: &str| {
        let form = Form::new().part("file", Part::bytes(b"kept").file_name("a.txt")).text("network", "public");
        Client::new().post(format!("{backup}/v3/files")).bearer_auth(token).multipart(form).send().await
    };
    assert_eq!(upload("first token").await?.status(), StatusCode::UNAUTHORIZED, "the token of another account");
    let pinned: Value = upload("backup token").await?.error_for_status()?.json().await?;
    let path = format!("/ipfs/{}", pinned["data"]["cid"].as_str().context("a CID")?);
    assert_eq!(reqwest::get(gateway + &path).await?.bytes().await?, "kept");
    pins.terminate().await?;

    let mut again = Served::start(&arguments)?;
    let (_, _, gateway) = (again.line().await?, again.line().await?, again.line().await?);
    assert_eq!(reqwest::get(gateway + &path).await?.bytes().await?, "kept");
    again.terminate().await
}

#[tokio::test]
async fn what_cannot_be_served_is_said() -> Result<()> {
    let taken = std::net::TcpListener::bind(ANY)?;
    let address = taken.local_addr()?.to_string();
    let place = tempfile::tempdir()?;
    let (dir, key) = (place.path().display().to_string(), place.path().join("key").display().to_string());
    let serve = async |account: &str| -> Result<(Option<i32>, String)> {
        let output = devstack(&["serve", "pins", "--dir", &dir, "--account", account]).output().await?;
        Ok((output.status.code(), String::from_utf8(output.stderr)?))
    };
    let (code, said) = serve(&format!("{address}={key}")).await?;
    assert!(code == Some(1) && said.contains("cannot read") && said.contains(&key), "{said}");
    fs::write(&key, "token")?;
    let (code, said) = serve(&format!("{address}={key}")).await?;
    assert!(code == Some(1) && said.contains(&address), "{said}");
    let (code, said) = serve("8801=key").await?;
    assert!(code == Some(2) && said.contains("8801 is not ADDRESS:PORT"), "{said}");
    Ok(())
}
