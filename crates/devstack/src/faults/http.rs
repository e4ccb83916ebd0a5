//! An HTTP server behind a gate.

use std::{io, net::SocketAddr};

use axum::Router;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::TcpStream;

use super::{
    Switch,
    gate::{Cut, Gate, Serve},
};

/// An HTTP server whose answers may be [`Cut`]. Ends when dropped.
#[derive(Debug)]
pub(crate) struct HttpGate(Gate);

impl HttpGate {
    /// Serves at `address`, on a free port where its port is 0.
    pub(crate) async fn open(address: SocketAddr, switch: Switch, routes: Router) -> io::Result<Self> {
        Ok(Self(Gate::open(address, switch, Http(routes)).await?))
    }

    /// Where it answers.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

struct Http(Router);

impl Serve for Http {
    async fn serve(&self, stream: &mut TcpStream) -> Result<(), Cut> {
        stream.set_nodelay(true).ok();
        let routes = TowerToHyperService::new(self.0.clone());
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let answer = hyper::service::Service::call(&routes, request);
            async move {
                let Ok(answer) = answer.await;
                if answer.extensions().get::<Cut>().is_some() { Err(Cut) } else { Ok(answer) }
            }
        });
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.map_err(|_| Cut)
    }
}
