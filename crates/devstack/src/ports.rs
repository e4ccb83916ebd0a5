//! Free ports.

use std::{
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use anyhow::{Result, bail};

/// Below the range that systems hand out to outgoing connections (from 32768 on Linux, 49152 on macOS): nobody takes such
/// a port by chance while its process is down for a restart.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

/// A port of this machine that others cannot reach.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Hands out ports of loopback on which nobody listens, each once.
#[derive(Debug)]
pub(crate) struct Ports {
    next: u16,
}

impl Ports {
    /// Starts at random, so that two stacks that start together hardly ever look at the same ports.
    pub(crate) fn new() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        let length = u64::from(RANGE.end - RANGE.start);
        Self { next: RANGE.start + u16::try_from(random % length).unwrap_or_default() }
    }

    /// The next free one.
    pub(crate) fn take(&mut self) -> Result<u16> {
        for _ in RANGE {
            let port = self.next;
            self.next = if port + 1 == RANGE.end { RANGE.start } else { port + 1 };
            if TcpListener::bind(loopback(port)).is_ok() {
                return Ok(port);
            }
        }
        bail!("no port between {} and {} is free", RANGE.start, RANGE.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_not_handed_out() {
        let mut ports = Ports::new();
        let taken = ports.take().unwrap();
        let _listener = TcpListener::bind(loopback(taken)).unwrap();
        ports.next = taken;
        let next = ports.take().unwrap();
        assert_ne!(next, taken);
        assert!(RANGE.contains(&next));
    }
}
