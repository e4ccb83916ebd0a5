//! Many runs, side by side, and what is told of them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use crate::referee::Count;
use crate::timeline::Entry;
use crate::world::{Ended, Run};

/// Operations whose timelines are shown: those that broke first.
const MOST_OPERATIONS: usize = 3;

/// What all runs came to.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Runs.
    pub runs: usize,
    /// Everything that was counted in them.
    pub count: Count,
    /// Virtual time of all of them, seconds.
    pub virtual_seconds: u64,
    /// Runs in which a promise was broken.
    pub failed: Vec<String>,
}

/// Runs every one, on as many threads as the machine has; each run stays on its own.
///
/// # Errors
/// A run that could not be started.
///
/// # Panics
/// Where a run panics.
pub fn run_all(runs: impl IntoIterator<Item = Run>) -> anyhow::Result<Tally> {
    let runs = Mutex::new(runs.into_iter().collect::<Vec<_>>().into_iter());
    let (ended, all) = mpsc::channel();
    let mut tally = Tally::default();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (runs, ended) = (&runs, ended.clone());
            scope.spawn(move || {
                let next = || runs.lock().unwrap_or_else(PoisonError::into_inner).next();
                // Whoever counts ends with the last run.
                while let Some(run) = next()
                    && ended.send(run.run()).is_ok()
                {}
            });
        }
        drop(ended);
        all.into_iter().try_for_each(|ended| ended.map(|ended| tally.add(&ended)))
    })?;
    Ok(tally)
}

impl Tally {
    fn add(&mut self, ended: &Ended) {
        self.runs += 1;
        self.count += ended.verdict.count;
        self.virtual_seconds += ended.timeline.last().map_or(0, |last| last.at.as_secs());
        if !ended.verdict.broken.is_empty() {
            self.failed.push(ended.to_string());
        }
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.verified += other.verified;
        self.failed += other.failed;
        self.nfts += other.nfts;
        self.signed += other.signed;
        self.woken += other.woken;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count { operations, verified, failed, nfts, signed, woken } = self.count;
        write!(
            f,
            "{} runs, {operations} operations: {verified} verified, {failed} failed; {nfts} NFTs from {signed} signed \
             transactions; {woken} rows woken by the sweeper; {} h of virtual time; {} runs with a broken promise",
            self.runs,
            self.virtual_seconds / 3_600,
            self.failed.len()
        )
    }
}

/// A run for whoever has to understand it: what was broken, and all that happened to the operations it was broken for.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, verdict, timeline } = self;
        let mistake = run.mistake.map(|mistake| format!(", with the mistake {mistake:?}"));
        writeln!(f, "seed {} of {} operations{}:", run.seed, run.operations, mistake.unwrap_or_default())?;
        for (id, broken) in &verdict.broken {
            writeln!(f, "  #{}: {broken}", crate::timeline::short(*id))?;
        }
        let shown: BTreeSet<_> = verdict.broken.iter().map(|(id, _)| *id).take(MOST_OPERATIONS).collect();
        let told = |entry: &&Entry| entry.operation.is_none_or(|id| shown.contains(&id));
        timeline.iter().filter(told).try_for_each(|entry| writeln!(f, "{entry}"))
    }
}
