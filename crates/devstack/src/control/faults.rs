//! Faults over the control address.

use std::sync::Arc;

use anyhow::{Result, bail};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::get,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Control;
use crate::faults::{Fault, FaultError, FaultReport, Faults};

type Refusal = (StatusCode, String);

#[derive(Debug, Serialize, Deserialize)]
struct Which {
    which: Option<String>,
}

/// `GET`, `POST` and `DELETE /faults`.
pub(super) fn routes(faults: Arc<Faults>) -> Router {
    Router::new().route("/faults", get(list).post(set).delete(clear)).with_state(faults)
}

async fn list(State(faults): State<Arc<Faults>>) -> Json<FaultReport> {
    Json(faults.report())
}

async fn set(State(faults): State<Arc<Faults>>, Json(fault): Json<Fault>) -> Result<Json<Vec<String>>, Refusal> {
    faults.set(&fault).await.map(Json).map_err(refused)
}

async fn clear(
    State(faults): State<Arc<Faults>>,
    Query(Which { which }): Query<Which>,
) -> Result<Json<Vec<String>>, Refusal> {
    faults.clear(which.as_deref()).map(Json).map_err(refused)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn refused(error: FaultError) -> Refusal {
    (StatusCode::BAD_REQUEST, error.to_string())
}

impl Control {
    /// Sets a fault. Answers with what it is called at each target; with nothing where it has happened already.
    ///
    /// # Errors
    /// The stack does not answer, or will not.
    pub async fn set_fault(&self, fault: &Fault) -> Result<Vec<String>> {
        answer(self.send(self.http.post(self.faults()).json(fault)).await?).await
    }

    /// What stands.
    ///
    /// # Errors
    /// The stack does not answer.
    pub async fn fault_report(&self) -> Result<FaultReport> {
        answer(self.send(self.http.get(self.faults())).await?).await
    }

    /// Ends the faults of a target, a part or a name; all where nothing is said. Answers with their names.
    ///
    /// # Errors
    /// The stack does not answer, or nothing is called so.
    pub async fn clear_faults(&self, which: Option<String>) -> Result<Vec<String>> {
        answer(self.send(self.http.delete(self.faults()).query(&Which { which })).await?).await
    }

    fn faults(&self) -> String {
        format!("{}/faults", self.url)
    }
}

async fn answer<T: DeserializeOwned>(reply: reqwest::Response) -> Result<T> {
    if !reply.status().is_success() {
        bail!("{}", reply.text().await?);
    }
    Ok(reply.json().await?)
}
