//! A call to the chain, as its clients make one.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// What the endpoint at `url` answers.
pub(crate) async fn call(url: &str, method: &str, params: Value) -> Result<Value> {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let reply = reqwest::Client::new().post(url).json(&request).send().await.with_context(|| method.to_owned())?;
    let mut reply: Value = reply.json().await.with_context(|| format!("{method}: not answered with JSON"))?;
    ensure!(reply["error"].is_null(), "{method}: {}", reply["error"]);
    Ok(reply["result"].take())
}
