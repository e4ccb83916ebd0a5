//! A partner who verifies for us: asked over HTTP about each NFT, behind a breaker of its own.

use std::fmt;
use std::sync::Arc;

use domain::{Failure, FailureClass, MintAddress, WalletAddress};
use engine::StepError;
use reqwest::{Client, StatusCode};
use resilience::{
    BreakerOpen, BreakerSettings, Dependency, Endpoint, EndpointConfig, EndpointHealth, Fault, Policies, PolicyName,
    Rate, RateError, Traffic,
};
use serde::Deserialize;
use url::Url;

/// What the partner is called among the dependencies.
pub const PARTNER_API: &str = "partner-api";
/// Calls a second, and at once.
const RATE: (f64, u32) = (50.0, 50);
/// A longer answer is none of a verdict.
const MAX_ANSWER: usize = 64 * 1024;

/// The partner.
pub struct PartnerApi {
    endpoint: Arc<Endpoint<Client>>,
    url: Url,
    line: Dependency,
}

impl fmt::Debug for PartnerApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its address may hold a key.
        f.debug_struct("PartnerApi").finish_non_exhaustive()
    }
}

/// A partner that cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum PartnerApiError {
    /// The machine gives no TLS roots or no sockets.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    /// A rate of ours that is none.
    #[error(transparent)]
    Rate(#[from] RateError),
}

/// What the partner answers to `GET URL?mint=…&wallet=…`.
#[derive(Debug, Deserialize)]
struct Verdict {
    verified: bool,
    #[serde(default)]
    reason: String,
}

impl PartnerApi {
    /// The partner at `url`. Nothing is sent. How it answers is written to `line`.
    ///
    /// # Errors
    /// [`PartnerApiError`].
    pub fn new(url: Url, breaker: BreakerSettings, line: Dependency) -> Result<Self, PartnerApiError> {
        let client = Client::builder().timeout(Policies::default()[PolicyName::PartnerVerification].wait).build()?;
        let rate = Rate::new(RATE.0, RATE.1)?;
        let label = PARTNER_API.into();
        let config = EndpointConfig { label, client, region: None, emergency: false, reads: rate, sends: rate };
        Ok(Self { endpoint: Endpoint::alone(config, breaker), url, line })
    }

    /// How it is, to be shown.
    pub fn health(&self) -> impl Fn() -> Vec<EndpointHealth> + Send + Sync + 'static + use<> {
        let endpoint = Arc::clone(&self.endpoint);
        move || vec![endpoint.health()]
    }

    /// Asks whether the wallet's NFT is what it should be, as the partner sees it.
    ///
    /// # Errors
    /// Permanent where the partner says no; a dependency's while it cannot be asked.
    pub async fn verify(&self, mint: &MintAddress, wallet: &WalletAddress) -> Result<(), StepError> {
        self.endpoint.budget(Traffic::Read).take().await;
        let call = self.endpoint.begin(Traffic::Read).map_err(|open: BreakerOpen| {
            StepError::Dependency(Failure::new(FailureClass::Outage, "partner-api-down", open))
        })?;
        match ask(call.client(), &self.url, mint, wallet).await {
            Ok(verdict) => {
                call.succeeded();
                self.line.good();
                if verdict.verified {
                    return Ok(());
                }
                let said = format!("the partner does not verify {mint} for {wallet}: {:?}", verdict.reason);
                Err(StepError::Permanent(Failure::permanent("partner-says-no", said)))
            }
            Err(failure) => {
                let Failure { class, code, .. } = failure.clone();
                self.line.failed(class, code.clone());
                call.failed(Fault { class, code, retry_after: None });
                Err(StepError::Dependency(failure))
            }
        }
    }
}

async fn ask(client: &Client, url: &Url, mint: &MintAddress, wallet: &WalletAddress) -> Result<Verdict, Failure> {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("mint", &mint.to_string()).append_pair("wallet", &wallet.to_string());
    // What the client says holds the address, which may hold a key.
    let unreachable = |error: reqwest::Error| {
        let code = if error.is_timeout() { "partner-api-timeout" } else { "partner-api-unreachable" };
        Failure::transient(code, error.without_url())
    };
    let mut response = client.get(url).send().await.map_err(unreachable)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::TOO_MANY_REQUESTS => {
            return Err(Failure::new(FailureClass::RateLimited, "partner-api-limited", "it takes no more for now"));
        }
        status => return Err(Failure::transient("partner-api-trouble", format_args!("it answers {status}"))),
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::transient("partner-api-garbled", "an answer without end"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|error| Failure::transient("partner-api-garbled", error))
}
