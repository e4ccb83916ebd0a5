//! `mintctl probe`: whether addresses answer well, for health checks where there is no curl.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use futures::future::join_all;
use reqwest::Client;
use serde_json::json;
use url::Url;

use crate::exit::Exit;
use crate::output;

/// Whoever is well answers such a question at once.
const PATIENCE: Duration = Duration::from_secs(3);

const EXAMPLES: &str = "Well is an answer with a status from 200 to 299; exit code 1 where one is not.

Examples:
  mintctl probe http://127.0.0.1:9401/readyz
  mintctl probe http://127.0.0.1:9401/livez http://127.0.0.1:9402/livez --json";

/// Arguments of `probe`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ProbeArgs {
    /// What to GET
    #[arg(required = true, value_name = "URL")]
    pub urls: Vec<Url>,
}

/// Asks all of them at once.
///
/// # Errors
/// A closed stdout; an address that does not answer is a line.
pub async fn run(args: &ProbeArgs, json: bool) -> Result<Exit> {
    let http = Client::builder().timeout(PATIENCE).build().context("the HTTP client")?;
    let verdicts = join_all(args.urls.iter().map(|url| ask(&http, url))).await;
    let told = args.urls.iter().zip(&verdicts);
    if json {
        let documents =
            told.map(|(url, verdict)| json!({ "url": url, "well": verdict.is_ok(), "reason": verdict.as_ref().err() }));
        output::json_document(&documents.collect::<Vec<_>>())?;
    } else {
        for (url, verdict) in told {
            let verdict = verdict.as_ref().map_or_else(String::as_str, |()| "ok");
            output::text(format!("{url} {verdict}"))?;
        }
    }
    Ok(if verdicts.iter().all(Result::is_ok) { Exit::Ok } else { Exit::Failed })
}

/// What is wrong, in a line.
async fn ask(http: &Client, url: &Url) -> Result<(), String> {
    let answer = http.get(url.clone()).send().await.map_err(|error| {
        if error.is_timeout() { format!("no answer within {} s", PATIENCE.as_secs()) } else { "no answer".to_owned() }
    })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let body = answer.text().await.unwrap_or_default();
    Err(format!("{status}: {}", body.trim_end().replace('\n', "; ")))
}
