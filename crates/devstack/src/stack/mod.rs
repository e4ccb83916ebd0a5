//! A whole stack: what it consists of, in which order it starts and ends.

mod environment;
mod ipfs;
mod options;
mod parts;
mod proxies;
mod rotation;
mod workers;

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    path::Path,
    sync::Arc,
};

use anyhow::{Result, bail};
use solana_sdk::signer::Signer;
use tokio::sync::Notify;

use environment::{environment, shell};
use ipfs::Content;
pub use options::{Extent, StackOptions};
use proxies::Proxies;

use crate::{
    chain::{Chain, ChainOptions},
    faults::{Faults, Hands, Part, Saboteur, Switches},
    kafka::{Kafka, KafkaPorts},
    kit::{Cache, Kit},
    layout::{Layout, Lock, write_private},
    ports::{Ports, loopback},
    postgres::Postgres,
    progress::Progress,
    rpc_front::{RpcFront, Upstream},
    secrets::{create_payer, secret},
    worker::{Programs, WORKERS, Worker, built, own_directory},
};

/// A running stack. Dropped, it kills its processes and leaves its files; [`Stack::stop`] is the tidy end.
pub struct Stack {
    layout: Layout,
    progress: Progress,
    programs: Programs,
    postgres: Postgres,
    kafka: Kafka,
    chain: Chain,
    fronts: Vec<RpcFront>,
    content: Content,
    faults: Arc<Faults>,
    _proxies: Proxies,
    workers: Vec<Worker>,
    is_set_up: bool,
    http: reqwest::Client,
    // Last: the directory is ours until all the rest is gone.
    _lock: Lock,
}

impl Stack {
    /// Starts a stack and waits until all of it is ready. What a crashed one has left in the directory is cleaned first.
    ///
    /// # Errors
    /// Another stack runs in the directory, or a part cannot be fetched or does not start: the message names it, with
    /// the end of its log.
    pub async fn start(options: StackOptions) -> Result<Self> {
        let StackOptions { dir, extent, slot, rpc_endpoints, settings, bin_dir, cache, progress } = options;
        let directory = bin_dir.map_or_else(own_directory, |given| Ok(std::path::absolute(given)?))?;
        check_programs(&directory, extent)?;
        let layout = Layout::new(&dir)?;
        let Some(lock) = layout.take()? else {
            bail!("a stack runs in {} already", layout.root().display());
        };
        layout.kill_leftovers();
        layout.remove_run_data()?;
        fs::create_dir_all(layout.root().join("keys"))?;

        let kit = {
            let progress = progress.clone();
            tokio::task::spawn_blocking(move || Kit::obtain(&Cache::open(cache.as_deref())?, &progress)).await??
        };
        let payer = create_payer(&layout.key("payer.json"))?;
        write_private(&layout.key("master-secret"), &secret())?;

        progress.say("Starting PostgreSQL, Kafka and the chain");
        let mut ports = Ports::new();
        let chain_log = File::create(layout.log("chain"))?;
        let chain = ChainOptions {
            rpc_port: ports.take()?,
            websocket_port: ports.take()?,
            slot,
            payer: Some(payer.pubkey()),
            token_metadata: &kit.token_metadata,
        };
        let postgres_port = ports.take()?;
        let kafka_ports = KafkaPorts { broker: ports.take()?, advertised: ports.take()?, controller: ports.take()? };
        let (postgres, kafka, chain) = tokio::try_join!(
            Postgres::create(&kit.postgres, &layout, postgres_port, secret()),
            Kafka::create(&kit.kafka, &layout, kafka_ports),
            Chain::start(chain, chain_log),
        )?;
        let mut switches = Switches::default();
        let proxies = Proxies::open(ports.take()?, postgres_port, kafka_ports, &mut switches).await?;
        let upstream = Arc::new(Upstream::new(chain.rpc(), chain.history())?);
        let mut fronts = Vec::new();
        for number in 1..=rpc_endpoints {
            let label = format!("rpc-{number}");
            let switch = switches.add(Part::Rpc, &label);
            fronts.push(RpcFront::start(label, loopback(ports.take()?), Arc::clone(&upstream), &switch).await?);
        }
        let content = Content::start(&layout, &mut switches).await?;
        switches.add(Part::Chain, "chain");
        let hands = Hands { database: Saboteur::new(postgres.own_url()), chain: chain.fork_switch() };
        let faults = Arc::new(switches.into_board(hands));
        let mut workers = Vec::new();
        for (name, _) in WORKERS {
            workers.push(Worker::new(name, ports.take()?));
        }

        let mut env = environment(&layout, &postgres, &proxies, &fronts, &content, &workers);
        env.extend(settings);
        let mut stack = Self {
            programs: Programs { directory, env, layout: layout.clone() },
            layout,
            progress,
            postgres,
            kafka,
            chain,
            fronts,
            content,
            faults,
            _proxies: proxies,
            workers,
            is_set_up: false,
            http: reqwest::Client::new(),
            _lock: lock,
        };
        stack.write_pids()?;
        write_private(&stack.layout.env(), &shell(stack.env()))?;
        stack.bring_up(extent).await?;
        Ok(stack)
    }

    /// Starts what of `extent` is not running, be it because it never ran or because somebody killed it, and waits for
    /// it. Answers with the names of what was started.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn bring_up(&mut self, extent: Extent) -> Result<Vec<String>> {
        let mut started = Vec::new();
        if self.postgres.process().ended().is_some() {
            self.postgres.start().await?;
            started.push("postgres".to_owned());
        }
        if self.kafka.process().ended().is_some() {
            self.kafka.start().await?;
            started.push("kafka".to_owned());
        }
        self.write_pids()?;
        if extent >= Extent::SetUp && !self.is_set_up {
            self.progress.say("Creating schema and topics");
            tokio::try_join!(self.programs.mintctl("migrate"), self.programs.mintctl("topics"))?;
            self.is_set_up = true;
        }
        if extent >= Extent::Workers {
            started.extend(self.start_missing_workers().await?);
        }
        Ok(started)
    }

    /// The environment that workers, `mintctl` and tests read.
    #[must_use]
    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.programs.env
    }

    /// What lies where.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The chain's own RPC address: calls there are not counted.
    #[must_use]
    pub fn chain_url(&self) -> String {
        format!("http://{}", self.chain.rpc())
    }

    /// Resolves when the chain has come to an end although nobody told it to.
    #[must_use]
    pub fn chain_ended(&self) -> Arc<Notify> {
        self.chain.ended()
    }

    /// Lets the workers drain, ends everything and removes what the stack has put into its directory.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub async fn stop(mut self) -> Result<()> {
        futures::future::join_all(self.workers.iter_mut().map(Worker::stop)).await;
        self.postgres.stop().await;
        let layout = self.layout.clone();
        // Kafka is killed: its data goes anyway, and its own shutdown takes seconds.
        drop(self);
        layout.remove_all()
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment holds secrets.
        f.debug_struct("Stack").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// What will be needed is better missed now than when half of the stack runs.
fn check_programs(directory: &Path, extent: Extent) -> Result<()> {
    if extent >= Extent::SetUp {
        built(directory, "mintctl")?;
    }
    if extent >= Extent::Workers {
        for (worker, _) in WORKERS {
            built(directory, worker)?;
        }
    }
    Ok(())
}
