//! A proxy that carries bytes between clients and a server of another process, unless it is told not to.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    Switch,
    gate::{Cut, Gate, Serve},
};
use crate::ports::loopback;

const PIECE: usize = 32 * 1024;

/// A proxy before one server. While that is down, clients are reset once they have connected. Ends when dropped.
#[derive(Debug)]
pub(crate) struct TcpProxy {
    _gate: Gate,
}

impl TcpProxy {
    /// Listens on `port` of loopback and connects to `server` for every client.
    pub(crate) async fn open(port: u16, switch: Switch, server: SocketAddr) -> io::Result<Self> {
        Ok(Self { _gate: Gate::open(loopback(port), switch.clone(), Proxy { server, switch }).await? })
    }
}

struct Proxy {
    server: SocketAddr,
    switch: Switch,
}

impl Serve for Proxy {
    async fn serve(&self, client: &mut TcpStream) -> Result<(), Cut> {
        self.switch.reach();
        let mut server = TcpStream::connect(self.server).await.map_err(|_| Cut)?;
        client.set_nodelay(true).and(server.set_nodelay(true)).map_err(|_| Cut)?;
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let there = self.carry(from_client, to_server, false);
        let back = self.carry(from_server, to_client, true);
        tokio::try_join!(there, back).map_err(|_| Cut)?;
        Ok(())
    }
}

impl Proxy {
    async fn carry(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        to_client: bool,
    ) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let length = from.read(&mut piece).await?;
            self.switch.pass(to_client).await;
            if length == 0 {
                return to.shutdown().await;
            }
            to.write_all(&piece[..length]).await?;
        }
    }
}
