//! What is wrong at one target. Its server asks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::Rng;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{FaultKind, Met};

/// The faults of one target, shared by its server and the board.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    faults: watch::Sender<Vec<Active>>,
    cuts: watch::Sender<()>,
    reached: AtomicU64,
}

/// A fault that stands here.
#[derive(Debug, Clone)]
pub(super) struct Active {
    /// Unlike its name never given again.
    pub id: u64,
    pub name: String,
    pub kind: FaultKind,
    pub method: Option<String>,
    pub share: f64,
    pub until: Option<Instant>,
    pub struck: u64,
}

impl Active {
    fn concerns(&self, methods: &[&str]) -> bool {
        let only = self.method.as_deref().or(self.kind.only_method());
        self.kind.strikes_requests() && only.is_none_or(|only| methods.contains(&only))
    }
}

impl Switch {
    /// The faults that a request for `methods` meets.
    pub(crate) fn meet(&self, methods: &[&str]) -> Met {
        let mut met = Vec::new();
        if self.reach() {
            self.strike(|fault| {
                let strikes = fault.concerns(methods) && rand::rng().random_bool(fault.share);
                if strikes {
                    met.push((fault.id, fault.kind));
                }
                u64::from(strikes)
            });
        }
        Met::new(self.clone(), met)
    }

    /// Counts a request, or a connection, if it comes while something is wrong here. Answers whether it does.
    pub(super) fn reach(&self) -> bool {
        let is_faulty = self.is_faulty();
        if is_faulty {
            self.0.reached.fetch_add(1, Ordering::Relaxed);
        }
        is_faulty
    }

    /// Requests and connections that came while something was wrong here.
    pub(super) fn reached(&self) -> u64 {
        self.0.reached.load(Ordering::Relaxed)
    }

    /// Resolves when connections are refused, or are not.
    pub(super) async fn until_refusing(&self, refusing: bool) {
        self.until(|faults| faults.iter().any(|fault| fault.kind == FaultKind::Refused) == refusing).await;
    }

    /// Resolves when the fault is gone.
    pub(super) async fn until_gone(&self, id: u64) {
        self.until(|faults| faults.iter().all(|fault| fault.id != id)).await;
    }

    /// Holds a piece of a stream back for as long as nothing passes, and what goes to the client for the delay too.
    pub(super) async fn pass(&self, to_client: bool) {
        if !self.is_faulty() {
            return;
        }
        let mut delay = Duration::ZERO;
        self.strike(|fault| {
            if let (FaultKind::Delay(by), true) = (fault.kind, to_client) {
                delay += by;
                return 1;
            }
            u64::from(fault.kind == FaultKind::Hang)
        });
        self.until(|faults| faults.iter().all(|fault| fault.kind != FaultKind::Hang)).await;
        sleep(delay).await;
    }

    /// Resets every connection.
    pub(super) fn cut(&self) {
        self.0.cuts.send_replace(());
    }

    /// Hears of cuts from now on.
    pub(super) fn cuts(&self) -> watch::Receiver<()> {
        self.0.cuts.subscribe()
    }

    /// What stands, in the order in which it was set.
    pub(super) fn standing(&self) -> Vec<Active> {
        self.0.faults.borrow().clone()
    }

    /// Sets a fault in place of another of its name.
    pub(super) fn set(&self, active: Active) {
        self.0.faults.send_modify(|faults| {
            faults.retain(|other| other.name != active.name);
            faults.push(active);
        });
    }

    /// Ends those faults, and answers with their names.
    pub(super) fn clear(&self, which: impl Fn(&Active) -> bool) -> Vec<String> {
        let mut names = Vec::new();
        self.0.faults.send_if_modified(|faults| {
            let gone = faults.extract_if(.., |fault| which(fault));
            names.extend(gone.map(|fault| fault.name));
            !names.is_empty()
        });
        names
    }

    /// Counts how often each struck; nobody who waits is told.
    pub(super) fn strike(&self, mut strikes: impl FnMut(&Active) -> u64) {
        self.0.faults.send_if_modified(|faults| {
            for fault in faults {
                fault.struck += strikes(fault);
            }
            false
        });
    }

    fn is_faulty(&self) -> bool {
        !self.0.faults.borrow().is_empty()
    }

    async fn until(&self, holds: impl Fn(&[Active]) -> bool + Send) {
        // We hold the sender, so that it cannot be gone.
        self.0.faults.subscribe().wait_for(|faults| holds(faults)).await.ok();
    }
}
