//! Where connections to a part come in: a listener that can be closed and opened again on the same port, and whose
//! connections can be reset.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use super::Switch;

const BACKLOG: u32 = 1024;

/// The connection is to be reset. As an answer of an HTTP handler it means: instead of any answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the connection is reset")]
pub(crate) struct Cut;

impl IntoResponse for Cut {
    fn into_response(self) -> Response {
        let mut answer = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

/// Who serves the connections of a gate.
pub(super) trait Serve: Send + Sync + 'static {
    /// Serves one to its end.
    fn serve(&self, stream: &mut TcpStream) -> impl Future<Output = Result<(), Cut>> + Send;
}

/// An open port. Closed, with its connections, when dropped.
#[derive(Debug)]
pub(super) struct Gate {
    address: SocketAddr,
    task: AbortHandle,
}

impl Gate {
    /// Listens at `address`, on a free port where its port is 0.
    pub(super) async fn open(address: SocketAddr, switch: Switch, server: impl Serve) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(keep(address, listener, switch, Arc::new(server))).abort_handle();
        Ok(Self { address, task })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(address: SocketAddr, mut listener: TcpListener, switch: Switch, server: Arc<impl Serve>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = switch.until_refusing(true) => {
                drop(listener);
                listener = closed_for_a_while(address, &switch).await;
            }
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(hold(stream, switch.clone(), Arc::clone(&server)));
                }
                // Out of file descriptors, say: it may be better in a moment.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
        }
    }
}

/// Refuses connections while the switch says so. The port stays bound, so that nobody else gets it meanwhile.
async fn closed_for_a_while(address: SocketAddr, switch: &Switch) -> TcpListener {
    loop {
        let Ok(reserved) = reserve(address) else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        switch.until_refusing(false).await;
        if let Ok(listener) = reserved.listen(BACKLOG) {
            return listener;
        }
    }
}

fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn hold(mut stream: TcpStream, switch: Switch, server: Arc<impl Serve>) {
    let mut cuts = switch.cuts();
    let ended = tokio::select! {
        ended = server.serve(&mut stream) => ended,
        _ = cuts.changed() => Err(Cut),
        () = switch.until_refusing(true) => Err(Cut),
    };
    if ended.is_err() {
        // Without it the client would see an orderly end.
        stream.set_zero_linger().ok();
    }
}
