//! What is done to a running stack, from its beginning to its end.

use std::time::Duration;

use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};
use domain::{Clock, SystemClock};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tokio::time::{Instant, sleep};

use crate::Stack;
use crate::faults::{Fault, FaultKind};
use crate::worker::WORKERS;

use super::traffic::Traffic;

/// Between two members that come, or two workers that are killed.
const COMES_AND_GOES: Duration = Duration::from_secs(3);
const BETWEEN_KILLS: Duration = Duration::from_secs(2);

/// Where a fault is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A target, or all of a part.
    The(&'static str),
    /// An RPC endpoint, whichever chance picks.
    OneRpc,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trouble {
    /// Faults of parts, all at once.
    Faults(&'static [(Place, FaultKind)]),
    /// The database ends and starts.
    RestartedPostgres,
    /// The broker ends and starts.
    RestartedKafka,
    /// A second of each worker joins and leaves.
    RebalanceStorm,
    /// `kill -9` of one worker after the other, each started at once.
    KilledWorkers,
    /// SIGTERM of each worker in turn, each started at once.
    TerminatedWorkers,
    /// SIGSTOP of a worker while others of its kind go on, then SIGCONT.
    FrozenWorker,
    /// Records that nobody can read, among the good ones.
    Poison {
        /// How many of a hundred.
        percent: u8,
    },
}

/// When it began and was over, and what it met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over {
    pub since: DateTime<Utc>,
    pub at: DateTime<Utc>,
    /// Requests that reached what was faulty, where there are requests and somebody counts them.
    pub reached: Option<u64>,
}

impl Trouble {
    /// Goes on for as long as it lasts; a restart takes the time it takes.
    pub(super) async fn rage(
        self,
        stack: &mut Stack,
        traffic: &Traffic,
        lasts: Duration,
        random: &mut StdRng,
    ) -> Result<Over> {
        let (since, end) = (SystemClock.now(), Instant::now() + lasts);
        let mut reached = None;
        match self {
            Self::Faults(faults) => reached = let_fail(stack, faults, lasts, random).await?,
            Self::RestartedPostgres => stack.restart_postgres().await?,
            Self::RestartedKafka => stack.restart_kafka().await?,
            Self::RebalanceStorm => {
                while Instant::now() < end {
                    let second = stack.another_of_each_worker().await?;
                    sleep(COMES_AND_GOES).await;
                    stack.dismiss(second).await;
                }
            }
            Self::KilledWorkers => {
                while Instant::now() < end {
                    let worker = any_worker(random);
                    stack.kill_worker(worker)?;
                    stack.start_worker(worker).await?;
                    sleep(BETWEEN_KILLS).await;
                }
            }
            Self::TerminatedWorkers => {
                for (worker, _) in WORKERS {
                    let code = stack.terminate_worker(worker).await?;
                    ensure!(code == Some(0), "{worker} ended with {code:?} on SIGTERM");
                    stack.start_worker(worker).await?;
                }
            }
            Self::FrozenWorker => return freeze(stack, any_worker(random), lasts).await,
            Self::Poison { percent } => {
                traffic.poison(percent);
                sleep(lasts).await;
                traffic.poison(0);
            }
        }
        Ok(Over { since, at: SystemClock.now(), reached })
    }
}

fn any_worker(random: &mut StdRng) -> &'static str {
    WORKERS[random.random_range(0..WORKERS.len())].0
}

async fn let_fail(
    stack: &Stack,
    faults: &[(Place, FaultKind)],
    lasts: Duration,
    random: &mut StdRng,
) -> Result<Option<u64>> {
    let board = stack.faults();
    let endpoints: Vec<_> = (1..=stack.rpc_endpoints()).map(|number| format!("rpc-{number}")).collect();
    let any_endpoint = endpoints.choose(random).cloned().unwrap_or_default();
    let placed = |(place, kind): &(Place, FaultKind)| match place {
        Place::The(target) => ((*target).to_owned(), *kind),
        Place::OneRpc => (any_endpoint.clone(), *kind),
    };
    let faults: Vec<_> = faults.iter().map(placed).collect();
    let reached = || faults.iter().map(|(target, _)| board.reached(target)).sum::<u64>();
    let before = reached();
    for (target, kind) in &faults {
        board.set(&Fault::new(target, *kind)).await?;
    }
    sleep(lasts).await;
    for (target, _) in &faults {
        board.clear(Some(target))?;
    }
    // Who refuses sees nobody, and a proxy sees connections.
    let counted = faults
        .iter()
        .all(|(target, kind)| *kind != FaultKind::Refused && !matches!(target.as_str(), "postgres" | "kafka"));
    Ok(counted.then(|| reached() - before))
}

/// Whoever goes on after a long sleep must not act on what was given to others meanwhile.
async fn freeze(stack: &mut Stack, worker: &str, lasts: Duration) -> Result<Over> {
    let others = stack.another_of_each_worker().await?;
    let since = SystemClock.now();
    stack.freeze_worker(worker)?;
    sleep(lasts).await;
    stack.thaw_worker(worker)?;
    let at = SystemClock.now();
    sleep(COMES_AND_GOES).await;
    stack.dismiss(others).await;
    Ok(Over { since, at, reached: None })
}
