//! Pin accounts, and gateways over what they hold.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, Result, ensure};

use crate::{
    content::{Gateway, PinServer},
    faults::Switch,
};

/// An account at a pin server of its own.
#[derive(Debug, Clone)]
pub struct PinAccount {
    /// Where it answers.
    pub address: SocketAddr,
    /// The file with the token that its client must show.
    pub key_file: PathBuf,
}

impl FromStr for PinAccount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, key_file) = text.split_once('=').ok_or("not ADDRESS:PORT=FILE")?;
        let address = address.parse().map_err(|_| format!("{address} is not ADDRESS:PORT"))?;
        Ok(Self { address, key_file: key_file.into() })
    }
}

/// Pin servers and gateways, which end when this is dropped. What is pinned stays.
#[derive(Debug)]
pub struct PinsServer {
    accounts: Vec<PinServer>,
    gateways: Vec<Gateway>,
}

impl PinsServer {
    /// Serves each of `accounts` from a directory of its own below `dir`, and at each of `gateways` what any of them holds.
    ///
    /// # Errors
    /// An address is taken, a token cannot be read, or the directory not written.
    pub async fn start(dir: &Path, accounts: &[PinAccount], gateways: &[SocketAddr]) -> Result<Self> {
        let mut served = Vec::new();
        for (number, PinAccount { address, key_file }) in (1..).zip(accounts) {
            let key = read_key(key_file)?;
            let dir = dir.join(format!("account-{number}"));
            served.push(PinServer::start_at(*address, &key, &dir, &Switch::default()).await?);
        }
        let all: Vec<_> = served.iter().collect();
        let mut open = Vec::new();
        for address in gateways {
            open.push(Gateway::start_at(*address, &all, &Switch::default()).await?);
        }
        Ok(Self { accounts: served, gateways: open })
    }

    /// Where accounts and gateways answer, in the order in which they were given.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let accounts = self.accounts.iter().map(PinServer::url);
        accounts.chain(self.gateways.iter().map(Gateway::url)).collect()
    }
}

fn read_key(file: &Path) -> Result<String> {
    let key = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let key = key.trim();
    ensure!(!key.is_empty(), "{} is empty", file.display());
    Ok(key.to_owned())
}
