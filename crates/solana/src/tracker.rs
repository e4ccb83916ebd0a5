//! Watches all open signatures together: one call asks for 256 of them, however many mints wait.
//!
//! The pace is one poll a slot while few are open, one in two while many are, stretched once a poll takes more than a few
//! calls: few open signatures are confirmed within a slot, and the most that polling ever costs is ten calls a second.
//! Finality comes 31 slots after landing, so what has landed is left alone until then.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use solana_client::rpc_request::{MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS, RpcRequest};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use crate::commitment::Commitment;
use crate::endpoints::Endpoints;
use crate::landing::{Landing, Watch};
use crate::metrics;
use crate::on_chain_error::OnChainError;
use crate::rpc_error::RpcError;
use crate::slot_clock::{SLOT, SlotClock};
use crate::wire::{At, Status};

/// Slots between landing and finality, at least.
const SLOTS_TO_FINALITY: u64 = 31;
/// How often something is asked for that should be final by now, or that has not been seen at all.
const SLOTS_BETWEEN_LATE_LOOKS: u32 = 4;
/// Calls that may be made in each slot.
const CALLS_PER_SLOT: u32 = 4;
/// Open signatures from which on a poll in two slots is soon enough.
const MANY: usize = 50;
/// What nodes remember without their history.
const RECENT_SLOTS: u64 = 150;

/// Tells whether transactions have landed. Ends with its last handle.
#[derive(Debug, Clone)]
pub(crate) struct ConfirmationTracker {
    open: mpsc::UnboundedSender<Open>,
    tip: Arc<AtomicU64>,
}

/// A signature that somebody waits for.
#[derive(Debug)]
struct Open {
    watch: Watch,
    commitment: Commitment,
    due: Instant,
    /// The slot in which it was last seen landed; 0 while it is not.
    seen: Arc<AtomicU64>,
    reply: oneshot::Sender<Landing>,
}

impl ConfirmationTracker {
    /// Must be called within a tokio runtime: the polling is a task of its own.
    pub(crate) fn start(endpoints: Arc<Endpoints>) -> Self {
        let (open, opened) = mpsc::unbounded_channel();
        let tip = Arc::new(AtomicU64::new(0));
        tokio::spawn(
            Poller { endpoints, tip: Arc::clone(&tip), clock: SlotClock::new(), open: Vec::new() }.run(opened),
        );
        Self { open, tip }
    }

    /// Waits until the transaction has landed for sure, for at most `patience`.
    pub(crate) async fn landing(&self, watch: Watch, commitment: Commitment, patience: Duration) -> Landing {
        let (reply, landing) = oneshot::channel();
        let seen = Arc::new(AtomicU64::new(0));
        // What was just sent is not confirmed before a slot has passed; what is to be final may be so already.
        let due = match commitment {
            Commitment::Confirmed => Instant::now() + SLOT,
            Commitment::Finalized => Instant::now(),
        };
        let handed_in = self.open.send(Open { watch, commitment, due, seen: Arc::clone(&seen), reply });
        if handed_in.is_ok()
            && let Ok(Ok(landing)) = timeout(patience, landing).await
        {
            return landing;
        }
        match seen.load(Ordering::Relaxed) {
            0 => Landing::Unknown { tip: Some(self.tip.load(Ordering::Relaxed)).filter(|tip| *tip > 0) },
            slot => Landing::Pending { slot },
        }
    }
}

struct Poller {
    endpoints: Arc<Endpoints>,
    tip: Arc<AtomicU64>,
    clock: SlotClock,
    open: Vec<Open>,
}

impl Poller {
    async fn run(mut self, mut opened: mpsc::UnboundedReceiver<Open>) {
        let mut not_before = Instant::now();
        loop {
            let next = self.open.iter().map(|open| open.due).min().map(|due| due.max(not_before));
            tokio::select! {
                // In this order, so that a run under a seed is the same again; a poll asks for all who are waiting.
                biased;
                open = opened.recv() => match open {
                    Some(open) => self.open.push(open),
                    None => return,
                },
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    let least = if self.open.len() > MANY { 2 } else { 1 };
                    let calls = self.poll().await;
                    not_before = Instant::now() + SLOT * calls.div_ceil(CALLS_PER_SLOT).max(least);
                }
            }
        }
    }

    /// Asks for everything that is due, or nearly so, and answers with the number of calls that took.
    async fn poll(&mut self) -> u32 {
        self.open.retain(|open| !open.reply.is_closed());
        metrics::open_signatures(self.open.len());
        let soon = Instant::now() + SLOT / 2;
        let (due, later): (Vec<_>, Vec<_>) = self.open.drain(..).partition(|open| open.due <= soon);
        self.open = later;
        let tip = self.tip.load(Ordering::Relaxed);
        let (old, recent): (Vec<_>, Vec<_>) = due.into_iter().partition(|open| open.watch.is_old(tip));
        let chunks: Vec<_> = [(old, true), (recent, false)]
            .into_iter()
            .flat_map(|(opens, history)| chunks(opens).into_iter().map(move |chunk| (chunk, history)))
            .collect();
        let calls = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        let asked = chunks.into_iter().map(async |(chunk, history)| (self.statuses(&chunk, history).await, chunk));
        for (answer, chunk) in join_all(asked).await {
            self.distribute(answer.ok(), chunk);
        }
        calls
    }

    async fn statuses(&self, chunk: &[Open], history: bool) -> Result<At<Vec<Option<Status>>>, RpcError> {
        let signatures: Vec<_> = chunk.iter().map(|open| open.watch.signature.to_string()).collect();
        let request = RpcRequest::GetSignatureStatuses;
        let params = json!([signatures, { "searchTransactionHistory": history }]);
        let read = |statuses: At<Vec<Option<Status>>>| match statuses.value.len() {
            count if count == chunk.len() => Ok(statuses),
            count => Err(format!("{count} statuses where {} were asked for", chunk.len())),
        };
        Ok(self.endpoints.ask_for(request, params, read).await?.value)
    }

    /// Answers whoever's wait is over and keeps the others. Without an answer nothing is known, and nothing forgotten.
    fn distribute(&mut self, answer: Option<At<Vec<Option<Status>>>>, chunk: Vec<Open>) {
        let Some(At { context, value }) = answer else {
            let due = Instant::now() + SLOT * SLOTS_BETWEEN_LATE_LOOKS;
            self.open.extend(chunk.into_iter().map(|open| Open { due, ..open }));
            return;
        };
        let tip = self.tip.fetch_max(context.slot, Ordering::Relaxed).max(context.slot);
        self.clock.note(tip, Instant::now());
        let statuses: HashMap<_, _> =
            chunk.iter().map(|open| open.watch.signature).zip(value).filter_map(|(of, is)| Some((of, is?))).collect();
        for mut open in chunk {
            let status = statuses.get(&open.watch.signature);
            open.seen.store(status.map_or(0, |status| status.slot.max(1)), Ordering::Relaxed);
            if let Some(status) = status.filter(|status| status.satisfies(open.commitment)) {
                // Whoever gave up waiting needs no answer.
                let _ = open.reply.send(status.landing());
            } else {
                open.due = Instant::now() + pause(status, open.commitment, context.slot, self.clock.slot());
                self.open.push(open);
            }
        }
    }
}

/// When to look again.
fn pause(status: Option<&Status>, commitment: Commitment, tip: u64, slot: Duration) -> Duration {
    let late = slot * SLOTS_BETWEEN_LATE_LOOKS;
    match (commitment, status) {
        (Commitment::Confirmed, _) => SLOT,
        (Commitment::Finalized, None) => late,
        (Commitment::Finalized, Some(status)) => {
            let left = (status.slot + SLOTS_TO_FINALITY).saturating_sub(tip).min(SLOTS_TO_FINALITY);
            late.max(slot * u32::try_from(left).unwrap_or(u32::MAX))
        }
    }
}

fn chunks(mut opens: Vec<Open>) -> Vec<Vec<Open>> {
    let mut chunks = Vec::new();
    while !opens.is_empty() {
        let rest = opens.split_off(opens.len().min(MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS));
        chunks.push(std::mem::replace(&mut opens, rest));
    }
    chunks
}

impl Watch {
    /// Whether nodes may have forgotten it, so that their history has to be searched.
    fn is_old(&self, tip: u64) -> bool {
        self.signed_at.is_none_or(|slot| slot + RECENT_SLOTS < tip)
    }
}

impl Status {
    fn satisfies(&self, commitment: Commitment) -> bool {
        match (commitment, self.commitment.as_deref()) {
            (Commitment::Confirmed, Some("confirmed" | "finalized")) | (Commitment::Finalized, Some("finalized")) => {
                true
            }
            (_, Some(_)) => false,
            // Nodes that do not say it count confirmations, and stop counting at finality.
            (Commitment::Confirmed, None) => self.confirmations.is_none_or(|count| count > 1),
            (Commitment::Finalized, None) => self.confirmations.is_none(),
        }
    }

    fn landing(&self) -> Landing {
        match &self.err {
            None => Landing::Landed { slot: self.slot },
            Some(err) => Landing::Failed { slot: self.slot, error: OnChainError::read(err) },
        }
    }
}
