//! How `devstack up`, `down` and `fault` talk to the stack in the background: HTTP on loopback, at an address that holds
//! a secret and lies in a file that only the owner reads.

mod faults;

use std::{fs, net::Ipv4Addr, sync::Arc};

use anyhow::{Context, Result, bail};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, Notify},
};

use crate::{
    layout::{Layout, write_private},
    stack::{Extent, Stack},
};

/// The stack as the background process holds it: none once it is being stopped.
pub type SharedStack = Arc<Mutex<Option<Stack>>>;

/// Answers commands from now on, and writes where to the `control` file of `layout`. What it returns is notified when
/// somebody asks the stack to stop.
///
/// # Errors
/// No port can be had, or the file cannot be written; or the stack is being stopped.
pub async fn serve(stack: SharedStack, layout: &Layout) -> Result<Arc<Notify>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let secret = hex::encode(rand::random::<[u8; 16]>());
    let url = format!("http://{}/{secret}", listener.local_addr()?);
    let faults = stack.lock().await.as_ref().map(|stack| Arc::clone(stack.faults()));
    let faults = faults.context("the stack is being stopped")?;
    let stop = Arc::new(Notify::new());
    let commands = Router::new().route("/up/{extent}", post(up)).with_state(stack).route(
        "/stop",
        post({
            let stop = Arc::clone(&stop);
            async move || stop.notify_one()
        }),
    );
    let routes = Router::new().nest(&format!("/{secret}"), commands.merge(faults::routes(faults)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    write_private(&layout.control(), &url)?;
    Ok(stop)
}

async fn up(
    State(stack): State<SharedStack>,
    Path(extent): Path<String>,
) -> Result<Json<Vec<String>>, (StatusCode, String)> {
    let extent = match extent.as_str() {
        "bare" => Extent::Bare,
        "set-up" => Extent::SetUp,
        "workers" => Extent::Workers,
        other => return Err((StatusCode::NOT_FOUND, format!("no extent `{other}`"))),
    };
    let mut stack = stack.lock().await;
    let Some(stack) = stack.as_mut() else {
        return Err((StatusCode::CONFLICT, "the stack is being stopped".into()));
    };
    match stack.bring_up(extent).await {
        Ok(started) => Ok(Json(started)),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))),
    }
}

/// Speaks to the stack in a directory.
#[derive(Debug)]
pub struct Control {
    url: String,
    http: reqwest::Client,
}

impl Control {
    /// The stack's, once it is ready to listen.
    #[must_use]
    pub fn of(layout: &Layout) -> Option<Self> {
        let url = fs::read_to_string(layout.control()).ok()?;
        Some(Self { url, http: reqwest::Client::new() })
    }

    /// Has the stack start what of `extent` does not run. Answers with the names of what was started.
    ///
    /// # Errors
    /// The stack does not answer, or a part of it does not start.
    pub async fn bring_up(&self, extent: Extent) -> Result<Vec<String>> {
        let extent = match extent {
            Extent::Bare => "bare",
            Extent::SetUp => "set-up",
            Extent::Workers => "workers",
        };
        let reply = self.post(&format!("up/{extent}")).await?;
        if !reply.status().is_success() {
            bail!("{}", reply.text().await?);
        }
        Ok(reply.json().await?)
    }

    /// Asks the stack to stop, which it then does in its own time.
    ///
    /// # Errors
    /// The stack does not answer.
    pub async fn stop(&self) -> Result<()> {
        self.post("stop").await?.error_for_status()?;
        Ok(())
    }

    async fn post(&self, command: &str) -> Result<reqwest::Response> {
        self.send(self.http.post(format!("{}/{command}", self.url))).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response> {
        // The address holds the secret: it stays out of the message.
        request.send().await.map_err(reqwest::Error::without_url).context("the stack does not answer")
    }
}
