//! The chain: surfpool in this process, with the real Token Metadata program.

mod fork;
mod history;
mod owner_index;

use std::{
    fmt,
    io::Write,
    mem,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use crossbeam_channel::{Receiver, Sender};
use serde_json::{Value, json};
use solana_sdk::{hash::Hash, pubkey::Pubkey};
use surfpool_core::{
    runloops::start_local_surfnet_runloop,
    surfnet::{
        GeyserEvent,
        locker::SurfnetSvmLocker,
        svm::{SurfnetSvm, SurfnetSvmConfig},
    },
};
use surfpool_types::{RpcConfig, SimnetCommand, SimnetConfig, SimnetEvent, SurfpoolConfig};
use tokio::sync::{Notify, oneshot};

pub(crate) use fork::{FINALITY, ForkError, ForkSwitch};
pub(crate) use history::History;
use owner_index::OwnerIndex;

use crate::{json_rpc, ports::loopback};

/// Where Metaplex deployed the program on every cluster.
pub const TOKEN_METADATA: &str = "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s";

/// What a payer is given. 100,000 SOL: some 8 million mints. The chain's faucet holds ten times as much, less its fees.
pub(crate) const AIRDROP_LAMPORTS: u64 = 100_000_000_000_000;
const PATIENCE: Duration = Duration::from_mins(1);

/// How the chain is to be.
#[derive(Debug)]
pub(crate) struct ChainOptions<'a> {
    /// Where its JSON-RPC answers.
    pub rpc_port: u16,
    /// Where its WebSocket answers.
    pub websocket_port: u16,
    /// How long a slot takes.
    pub slot: Duration,
    /// Who is given SOL at the start, where that is known by then.
    pub payer: Option<Pubkey>,
    /// The ELF deployed as Token Metadata.
    pub token_metadata: &'a [u8],
}

/// A running chain. It is not honest about commitments, so workers talk to it through the RPC fronts, which are.
pub(crate) struct Chain {
    rpc: SocketAddr,
    commands: Sender<SimnetCommand>,
    svm: SurfnetSvmLocker,
    history: Arc<History>,
    ended: Arc<Notify>,
    /// What the chain's plugins, of which there are none, listen to: they complain when it is gone.
    _plugins: Sender<GeyserEvent>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("rpc", &self.rpc).finish_non_exhaustive()
    }
}

impl Chain {
    /// Starts it, deploys the program and waits for both. Its complaints go to `log`.
    pub(crate) async fn start(options: ChainOptions<'_>, log: impl Write + Send + 'static) -> Result<Self> {
        let (mut svm, events, for_plugins) = SurfnetSvm::new(svm_config(options.slot))
            .map_err(|error| anyhow!("cannot create the virtual machine: {error}"))?;
        let ready = drain(events, log);
        let (told, changes) = crossbeam_channel::unbounded();
        let plugins = mem::replace(&mut svm.geyser_events_tx, told);
        let (commands, inbox) = crossbeam_channel::unbounded();
        let ended = Arc::new(Notify::new());
        let svm = run(svm, config(&options), (commands.clone(), inbox), for_plugins, Arc::clone(&ended))?;
        let rpc = loopback(options.rpc_port);
        let chain = Self { rpc, commands, svm, history: History::of(changes), ended, _plugins: plugins };
        tokio::time::timeout(PATIENCE, ready)
            .await
            .ok()
            .and_then(Result::ok)
            .context("the chain did not start; its log says why")?;
        chain.deploy(TOKEN_METADATA, options.token_metadata).await.context("cannot deploy Token Metadata")?;
        if let Some(payer) = options.payer {
            // An airdrop that fails is reported as successful.
            let balance = chain.call("getBalance", json!([payer.to_string()])).await?;
            ensure!(balance["value"] == AIRDROP_LAMPORTS, "the payer was not given its SOL: {balance}");
        }
        chain.begin().await?;
        Ok(chain)
    }

    /// Makes it a cluster of its own, and its accounts of now the first ones.
    async fn begin(&self) -> Result<()> {
        let mut svm = self.svm.0.write().await;
        svm.cached_genesis_hash = Some(Hash::new_from_array(rand::random()));
        let accounts = svm.inner.get_all_accounts().map_err(|error| anyhow!("cannot read the accounts: {error}"))?;
        let accounts = accounts.into_iter().map(|(address, account)| (address, account.into()));
        self.history.begin_with(svm.get_latest_absolute_slot(), accounts);
        Ok(())
    }

    /// Its own JSON-RPC address, past the fronts.
    pub(crate) fn rpc(&self) -> SocketAddr {
        self.rpc
    }

    /// What its accounts were.
    pub(crate) fn history(&self) -> Arc<History> {
        Arc::clone(&self.history)
    }

    /// What switches it to another fork.
    pub(crate) fn fork_switch(&self) -> ForkSwitch {
        ForkSwitch::new(self.svm.clone(), self.history())
    }

    /// Resolves when it has come to an end, which it should only when told.
    pub(crate) fn ended(&self) -> Arc<Notify> {
        Arc::clone(&self.ended)
    }

    async fn deploy(&self, program: &str, elf: &[u8]) -> Result<()> {
        self.call("surfnet_writeProgram", json!([program, hex::encode(elf), 0])).await?;
        let account = self.call("getAccountInfo", json!([program, {"encoding": "base64"}])).await?;
        ensure!(account["value"]["executable"] == true, "it is not executable: {account}");
        Ok(())
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value> {
        json_rpc::call(&format!("http://{}", self.rpc), method, params).await
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.commands.send(SimnetCommand::Terminate(None)).ok();
    }
}

fn svm_config(slot: Duration) -> SurfnetSvmConfig {
    // Profiling runs every transaction once per instruction: 17 mints a second instead of 470.
    SurfnetSvmConfig { slot_time: milliseconds(slot), instruction_profiling_enabled: false, ..Default::default() }
}

fn config(options: &ChainOptions<'_>) -> SurfpoolConfig {
    let simnet = SimnetConfig {
        offline_mode: true,
        remote_rpc_url: None,
        slot_time: milliseconds(options.slot),
        airdrop_addresses: options.payer.into_iter().collect(),
        airdrop_token_amount: AIRDROP_LAMPORTS,
        instruction_profiling_enabled: false,
        ..Default::default()
    };
    let rpc = RpcConfig {
        bind_host: Ipv4Addr::LOCALHOST.to_string(),
        bind_port: options.rpc_port,
        ws_port: options.websocket_port,
        ..Default::default()
    };
    SurfpoolConfig { simnets: vec![simnet], rpc, ..Default::default() }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Its loop blocks its thread, so it has one, and a runtime, of its own.
fn run(
    mut svm: SurfnetSvm,
    config: SurfpoolConfig,
    (commands, inbox): (Sender<SimnetCommand>, Receiver<SimnetCommand>),
    for_plugins: Receiver<GeyserEvent>,
    ended: Arc<Notify>,
) -> Result<SurfnetSvmLocker> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let its_thread = Arc::new(OnceLock::new());
    svm.accounts_by_owner = Box::new(OwnerIndex::of(Arc::clone(&its_thread)));
    let locker = SurfnetSvmLocker::new(svm);
    let svm = locker.clone();
    thread::Builder::new().name("chain".into()).spawn(move || {
        its_thread.get_or_init(|| thread::current().id());
        let ran = runtime.block_on(start_local_surfnet_runloop(locker, config, commands, inbox, for_plugins));
        if let Err(error) = ran {
            eprintln!("the chain ended: {error}");
        }
        ended.notify_one();
    })?;
    Ok(svm)
}

/// Reads the chain's events, without which it would stand still, for ever. Answers when the chain has started.
fn drain(events: Receiver<SimnetEvent>, mut log: impl Write + Send + 'static) -> oneshot::Receiver<()> {
    let (ready, answer) = oneshot::channel();
    let mut ready = Some(ready);
    thread::spawn(move || {
        for event in events {
            match event {
                SimnetEvent::CoreStarted(_) => {
                    ready.take().map(|ready| ready.send(()));
                }
                SimnetEvent::ErrorLog(at, line) | SimnetEvent::WarnLog(at, line) | SimnetEvent::InfoLog(at, line) => {
                    writeln!(log, "{at} {line}").ok();
                }
                SimnetEvent::Aborted(line) => {
                    writeln!(log, "aborted: {line}").ok();
                }
                _ => {}
            }
        }
    });
    answer
}
