//! Images on foreign web servers. Whoever writes the address wants to see what we can see, so: https only, public addresses
//! only, checked at every redirect, bounded in time and bytes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use url::{Host, Url};

use super::address::is_public;
use super::guard::{NotPublic, PublicOnly};
use super::{FetchOptions, SourceError};
use crate::transport::{BodyFault, TransportFault, causes, read_body};

#[derive(Debug)]
pub(super) struct Web {
    client: Client,
    allow_private: bool,
    bytes: usize,
    time: Duration,
    redirects: u8,
}

impl Web {
    pub fn new(options: &FetchOptions) -> Result<Self, reqwest::Error> {
        // A proxy would resolve names by itself, past the guard.
        let mut client = Client::builder().redirect(Policy::none()).no_proxy().user_agent("mintfleet");
        if !options.allow_private {
            client = client.dns_resolver(Arc::new(PublicOnly));
        }
        Ok(Self {
            client: client.build()?,
            allow_private: options.allow_private,
            bytes: options.bytes,
            time: options.time,
            redirects: options.redirects,
        })
    }

    pub async fn fetch(&self, url: &Url) -> Result<Bytes, SourceError> {
        let in_time = tokio::time::timeout(self.time, self.follow(url)).await;
        in_time.unwrap_or_else(|_| Err(SourceError::TimedOut { host: host(url) }))
    }

    async fn follow(&self, first: &Url) -> Result<Bytes, SourceError> {
        let mut url = first.clone();
        for _ in 0..=self.redirects {
            self.allow(&url)?;
            let request = self.client.get(url.clone()).header(ACCEPT, "image/*");
            let answer = request.send().await.map_err(|error| fault_of(&url, error))?;
            match answer.status() {
                StatusCode::OK => return self.body(&url, answer).await,
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => url = target(&url, &answer)?,
                status => return Err(SourceError::of_status(host(&url), status.as_u16())),
            }
        }
        Err(SourceError::TooManyRedirects { host: host(first) })
    }

    /// Names are checked when they are resolved; addresses that stand in the URL itself are not resolved.
    fn allow(&self, url: &Url) -> Result<(), SourceError> {
        let forbid = |reason| Err(SourceError::Forbidden { host: host(url), reason });
        if self.allow_private {
            return Ok(());
        }
        if url.scheme() != "https" {
            return forbid("https is wanted");
        }
        match url.host() {
            Some(Host::Ipv4(address)) if !is_public(address.into()) => forbid("its address is not public"),
            Some(Host::Ipv6(address)) if !is_public(address.into()) => forbid("its address is not public"),
            _ => Ok(()),
        }
    }

    async fn body(&self, url: &Url, answer: Response) -> Result<Bytes, SourceError> {
        read_body(answer, self.bytes).await.map_err(|fault| match fault {
            BodyFault::TooLarge => SourceError::TooLarge { limit: self.bytes },
            BodyFault::Transport(fault) => SourceError::of_transport(host(url), fault),
        })
    }
}

fn fault_of(url: &Url, error: reqwest::Error) -> SourceError {
    if causes(&error).any(<dyn std::error::Error>::is::<NotPublic>) {
        return SourceError::Forbidden { host: host(url), reason: "its address is not public" };
    }
    SourceError::of_transport(host(url), TransportFault::from(error))
}

fn target(url: &Url, answer: &Response) -> Result<Url, SourceError> {
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| url.join(location).ok());
    next.filter(|next| matches!(next.scheme(), "http" | "https"))
        .ok_or_else(|| SourceError::BadRedirect { host: host(url) })
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
