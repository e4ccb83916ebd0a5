//! Which provider holds which content, and who pins it now: `crates/store/src/pins.rs` in memory.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Cid;
use engine::{OwedPin, Pin, PinClaim, Pinned};

use super::rows::{PinRow, PinState, Rows};

/// How long one process may take to pin a content.
const LEASE: TimeDelta = TimeDelta::seconds(20);
/// How long one process may take to pin what is owed.
const OWED_LEASE: TimeDelta = TimeDelta::minutes(1);

impl PinRow {
    fn ran_out(&self, now: DateTime<Utc>) -> bool {
        self.state == PinState::Pending && self.claimed_until.is_some_and(|until| until <= now)
    }

    /// Somebody pins or unpins it at this moment.
    fn is_busy(&self, now: DateTime<Utc>) -> bool {
        matches!(self.state, PinState::Pending | PinState::Unpinning)
            && self.claimed_until.is_some_and(|until| until > now)
    }
}

impl Rows {
    /// Claims what nobody has, or had and let run out.
    pub fn claim_pins(&mut self, batch: &[Pin], now: DateTime<Utc>) -> Vec<PinClaim> {
        batch.iter().map(|pin| self.claim_pin(pin, now)).collect()
    }

    fn claim_pin(&mut self, Pin { cid, size: _, provider }: &Pin, now: DateTime<Utc>) -> PinClaim {
        if self.is_pinned(cid) {
            return PinClaim::Pinned;
        }
        let key = (cid.clone(), provider.clone());
        let is_taken = self.pins.get(&key).is_some_and(|row| row.state != PinState::Unpinned && !row.ran_out(now));
        if is_taken || self.at_providers(cid).any(|row| row.is_busy(now)) {
            return PinClaim::Elsewhere;
        }
        self.put_pin(key, PinState::Pending, Some(now + LEASE));
        PinClaim::Yours { since: now }
    }

    /// What is being unpinned at this moment stays so, and what was unpinned since the claim.
    pub fn pinned(&mut self, batch: &[Pinned]) {
        for Pinned { pin: Pin { cid, size: _, provider }, since } in batch {
            let key = (cid.clone(), provider.clone());
            let stays = |row: &PinRow| matches!(row.state, PinState::Pinned | PinState::Unpinning);
            let taken_since = self.at_providers(cid).any(|row| row.unpinned_at.is_some_and(|at| at >= *since));
            if !taken_since && !self.pins.get(&key).is_some_and(stays) {
                self.put_pin(key, PinState::Pinned, None);
            }
        }
    }

    fn put_pin(&mut self, key: (Cid, String), state: PinState, claimed_until: Option<DateTime<Utc>>) {
        let unpinned_at = self.pins.get(&key).and_then(|row| row.unpinned_at);
        self.pins.put(key, PinRow { state, claimed_until, unpinned_at });
    }

    /// Claims what waits to be pinned at a provider though another one holds it, the longest waiting first.
    pub fn pins_owed(&mut self, provider: &str, most: u16, now: DateTime<Utc>) -> Vec<OwedPin> {
        let waits = |row: &PinRow| row.claimed_until.filter(|_| row.ran_out(now));
        let of_provider = self.pins.iter().filter(|((_, at), _)| at == provider);
        let mut owed: Vec<(DateTime<Utc>, Cid)> = of_provider
            .filter_map(|((cid, _), row)| Some((waits(row)?, cid.clone())))
            .filter(|(_, cid)| self.is_pinned(cid))
            .collect();
        owed.sort();
        owed.truncate(usize::from(most));
        let cids: Vec<Cid> = owed.into_iter().map(|(_, cid)| cid).collect();
        for cid in &cids {
            let key = (cid.clone(), provider.to_owned());
            if let Some(row) = self.pins.get(&key).cloned() {
                self.pins.put(key, PinRow { claimed_until: Some(now + OWED_LEASE), ..row });
            }
        }
        cids.into_iter().map(|cid| OwedPin { cid, since: now }).collect()
    }

    /// Whether any provider holds a content.
    pub fn is_pinned(&self, cid: &Cid) -> bool {
        self.at_providers(cid).any(|row| row.state == PinState::Pinned)
    }

    fn at_providers(&self, cid: &Cid) -> impl Iterator<Item = &PinRow> {
        let from_here = self.pins.range((cid.clone(), String::new())..);
        from_here.take_while(move |((at, _), _)| at == cid).map(|(_, row)| row)
    }
}
