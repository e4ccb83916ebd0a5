//! Kafka, through its proxy: by bytes, so that no client's own retries are in the way.

use std::io::{self, ErrorKind};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devstack::faults::{Fault, FaultError, FaultKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::rig::{Rig, until};

/// Which versions do you speak? Version 0, correlation 7, no client id.
const API_VERSIONS: &[u8] = b"\0\0\0\x0a\0\x12\0\0\0\0\0\x07\xff\xff";
/// Who are the brokers? Version 0, correlation 8, no client id, no topics but all.
const METADATA: &[u8] = b"\0\0\0\x0e\0\x03\0\0\0\0\0\x08\xff\xff\0\0\0\0";

pub async fn fails(rig: &Rig) -> Result<()> {
    clients_are_sent_to_the_proxy(rig).await?;
    slow_and_silent(rig).await?;
    cut(rig).await?;
    refused(rig).await?;
    what_makes_no_sense_is_refused(rig).await
}

async fn connect(rig: &Rig) -> io::Result<TcpStream> {
    TcpStream::connect(&rig.env["KAFKA_BROKERS"]).await
}

async fn ask(stream: &mut TcpStream, request: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(request).await?;
    let length = stream.read_u32().await?;
    let mut reply = vec![0; usize::try_from(length).unwrap_or_default()];
    stream.read_exact(&mut reply).await?;
    Ok(reply)
}

async fn clients_are_sent_to_the_proxy(rig: &Rig) -> Result<()> {
    let reply = ask(&mut connect(rig).await?, METADATA).await?;
    // Correlation, number of brokers, id of the first, its host with a length before it, its port.
    let host_length = u16::from_be_bytes(reply[12..14].try_into()?);
    let port_at = 14 + usize::from(host_length);
    let port = i32::from_be_bytes(reply[port_at..port_at + 4].try_into()?);
    ensure!(rig.env["KAFKA_BROKERS"] == format!("127.0.0.1:{port}"), "{port}");
    Ok(())
}

async fn slow_and_silent(rig: &Rig) -> Result<()> {
    let mut stream = connect(rig).await?;
    rig.set("kafka", FaultKind::Delay(Duration::from_millis(200))).await?;
    let asked = Instant::now();
    ask(&mut stream, API_VERSIONS).await?;
    ensure!(asked.elapsed() >= Duration::from_millis(200));
    rig.clear("kafka")?;

    rig.set("kafka", FaultKind::Hang).await?;
    let mut fresh = connect(rig).await.context("a black hole takes connections")?;
    for stream in [&mut stream, &mut fresh] {
        stream.write_all(API_VERSIONS).await?;
    }
    rig.until_struck("kafka", 2).await?;
    let silent = timeout(Duration::from_millis(200), stream.read_u32()).await;
    ensure!(silent.is_err(), "nothing passes: {silent:?}");
    rig.clear("kafka")?;
    for stream in [&mut stream, &mut fresh] {
        timeout(Duration::from_secs(10), stream.read_u32()).await.context("what was held passes afterwards")??;
    }
    Ok(())
}

async fn cut(rig: &Rig) -> Result<()> {
    let mut stream = connect(rig).await?;
    ask(&mut stream, API_VERSIONS).await?;
    rig.set("kafka", FaultKind::Cut(None)).await?;
    let ended = stream.read_u8().await;
    ensure!(ended.as_ref().is_err_and(|error| error.kind() == ErrorKind::ConnectionReset), "{ended:?}");
    ensure!(rig.faults.report().faults.is_empty(), "it happened once");

    rig.set("kafka", FaultKind::Cut(Some(Duration::from_millis(50)))).await?;
    for _ in 0..2 {
        let mut stream = connect(rig).await?;
        let ended = timeout(Duration::from_secs(10), stream.read_u8()).await.context("it is cut before long")?;
        ensure!(ended.is_err());
    }
    rig.clear("kafka")?;
    ask(&mut connect(rig).await?, API_VERSIONS).await?;
    Ok(())
}

async fn refused(rig: &Rig) -> Result<()> {
    rig.faults.set(&Fault::new("kafka", FaultKind::Refused).lasting(Duration::from_millis(500))).await?;
    until("nobody listens", async || {
        Ok(connect(rig).await.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused))
    })
    .await?;
    until("it ends by itself", async || Ok(connect(rig).await.is_ok())).await?;
    ask(&mut connect(rig).await?, API_VERSIONS).await?;
    Ok(())
}

async fn what_makes_no_sense_is_refused(rig: &Rig) -> Result<()> {
    let refusal = async |fault: Fault| rig.faults.set(&fault).await.err().context("it is refused");
    let error = refusal(Fault::new("kafka", FaultKind::WrongCid)).await?;
    ensure!(matches!(error, FaultError::NotThere { .. }), "{error}");
    let error = refusal(Fault::new("kafka", FaultKind::Delay(Duration::from_secs(1))).share(0.5)).await?;
    ensure!(matches!(error, FaultError::NoOption { option: "share", .. }), "{error}");
    let error = refusal(Fault::new("pins", FaultKind::Hang).method("getSlot")).await?;
    ensure!(matches!(error, FaultError::NoMethod { .. }), "{error}");
    let error = refusal(Fault::new("rpc-4", FaultKind::Hang)).await?;
    ensure!(error.to_string().contains("rpc-1, rpc-2, rpc-3"), "{error}");
    let error = refusal(Fault::new("rpc-1", FaultKind::Hang).share(1.5)).await?;
    ensure!(matches!(error, FaultError::NoShare(_)), "{error}");
    ensure!(rig.faults.clear(Some("nothing")).is_err() && rig.faults.report().faults.is_empty());
    Ok(())
}
