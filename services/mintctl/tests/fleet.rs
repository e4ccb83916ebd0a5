//! `mintctl status` without an operation, against a worker's real ops endpoints.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use common::{code, mintctl, stderr, stdout};
use domain::FailureClass;
use resilience::{EndpointConfig, Jitter, Pool, PoolSettings, Rate, Traffic};
use serde_json::{Value, json};
use service::{Checks, Health, OpsListener};

#[tokio::test]
async fn the_fleet_is_shown_as_each_worker_tells_it() -> Result<()> {
    let health = Health::default();
    let (chain, database) = (health.dependency("solana-rpc", 1), health.dependency("database", 1));
    database.good();
    let rate = Rate::new(10.0, 10)?;
    let endpoint = |label: &str, emergency| EndpointConfig {
        label: label.into(),
        client: (),
        region: None,
        emergency,
        reads: rate,
        sends: rate,
    };
    let endpoints = vec![endpoint("main", false), endpoint("local", true)];
    let pool = Pool::new(endpoints, PoolSettings::default(), Arc::new(Jitter::from_seed(1)))?;
    pool.pick(Traffic::Read, &[])?.succeeded();
    health.show_endpoints("solana-rpc", move || pool.health());
    let listener = OpsListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let checks = Checks::default().depends_on(health);
    let ops = listener.serve("mint-submitter", checks, service::gather_metrics()?)?;
    let url = format!("http://{}", ops.address());
    let nobody = "http://127.0.0.1:1";
    let env = [("MINT_SUBMITTER_OPS_URL", url.as_str()), ("IPFS_UPLOADER_OPS_URL", nobody), ("VERIFIER_OPS_URL", &url)];

    let shown = mintctl(&env, &["status"], b"")?;
    assert_eq!(code(&shown), 1, "one worker does not answer");
    let text = stdout(&shown);
    for part in ["does not answer", "database", "healthy", "main", "local (emergency)", "closed", "100.0 %"] {
        assert!(text.contains(part), "{part} is missing from\n{text}{}", stderr(&shown));
    }

    let all = [("MINT_SUBMITTER_OPS_URL", url.as_str()), ("IPFS_UPLOADER_OPS_URL", &url), ("VERIFIER_OPS_URL", &url)];
    chain.good();
    let shown = mintctl(&all, &["status", "--json"], b"")?;
    assert_eq!(code(&shown), 0, "{}", stderr(&shown));
    let document: Value = serde_json::from_slice(&shown.stdout)?;
    assert_eq!((&document[1]["worker"], &document[1]["ready"]), (&json!("mint-submitter"), &json!(true)));
    let dependency = &document[1]["dependencies"][0];
    assert_eq!((&dependency["name"], &dependency["endpoints"][0]["label"]), (&json!("solana-rpc"), &json!("main")));

    chain.failed(FailureClass::Outage, "rpc-all-out");
    let shown = mintctl(&all, &["status"], b"")?;
    assert_eq!(code(&shown), 1, "what it needs is down");
    assert!(stdout(&shown).contains("rpc-all-out"), "{}", stdout(&shown));
    Ok(())
}
