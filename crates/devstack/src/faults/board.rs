//! All the switches of a stack.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::time::{Instant, sleep};

use super::{Fault, FaultError, FaultReport, Hands, Part, Standing, Switch, switch::Active, work};

/// Sets, lists and clears the faults of a stack.
#[derive(Debug)]
pub struct Faults {
    targets: BTreeMap<String, (Part, Switch)>,
    hands: Hands,
    last_id: AtomicU64,
}

impl Faults {
    pub(crate) fn new(targets: impl IntoIterator<Item = (String, Part, Switch)>, hands: Hands) -> Self {
        let targets = targets.into_iter().map(|(name, part, switch)| (name, (part, switch)));
        Self { targets: targets.collect(), hands, last_id: AtomicU64::new(0) }
    }

    /// Sets a fault, at every target of a part where its `target` names the part. Answers with what it is called at
    /// each; with nothing where it happens once and has happened.
    ///
    /// # Errors
    /// It makes no sense there, and then it is set nowhere; or database or chain do not do as they are told.
    pub async fn set(&self, fault: &Fault) -> Result<Vec<String>, FaultError> {
        let targets = self.named(&fault.target);
        if targets.is_empty() {
            return Err(self.no_target(&fault.target));
        }
        for (_, part, _) in &targets {
            fault.check(*part)?;
        }
        let mut names = Vec::new();
        for (target, _, switch) in targets {
            names.extend(self.set_at(target, switch, fault).await?);
        }
        Ok(names)
    }

    /// What stands, and how much reached what was faulty.
    #[must_use]
    pub fn report(&self) -> FaultReport {
        let now = Instant::now();
        let faults = self.targets.iter().flat_map(|(target, (_, switch))| {
            switch.standing().into_iter().map(move |active| Standing {
                name: active.name,
                target: target.clone(),
                kind: active.kind,
                method: active.method,
                share: active.share,
                remaining: active.until.map(|until| until.saturating_duration_since(now)),
                struck: active.struck,
            })
        });
        let reached = self.targets.iter().map(|(target, (_, switch))| (target.clone(), switch.reached()));
        FaultReport { faults: faults.collect(), reached: reached.collect() }
    }

    /// Requests (connections, at a proxy) that reached a target while any fault stood there.
    #[must_use]
    pub fn reached(&self, target: &str) -> u64 {
        self.named(target).into_iter().map(|(_, _, switch)| switch.reached()).sum()
    }

    /// Ends the faults of a target or part, or those of a name; all where nothing is said. Answers with their names.
    ///
    /// # Errors
    /// Nothing is called so.
    pub fn clear(&self, which: Option<&str>) -> Result<Vec<String>, FaultError> {
        let Some(which) = which else {
            return Ok(self.targets.values().flat_map(|(_, switch)| switch.clear(|_| true)).collect());
        };
        let targets = self.named(which);
        if !targets.is_empty() {
            return Ok(targets.into_iter().flat_map(|(_, _, switch)| switch.clear(|_| true)).collect());
        }
        let switches = self.targets.values().map(|(_, switch)| switch);
        let cleared: Vec<_> = switches.flat_map(|switch| switch.clear(|fault| fault.name == which)).collect();
        if cleared.is_empty() { Err(self.no_target(which)) } else { Ok(cleared) }
    }

    async fn set_at(&self, target: &str, switch: &Switch, fault: &Fault) -> Result<Option<String>, FaultError> {
        if fault.kind.is_momentary() {
            work::strike(fault.kind, switch, &self.hands).await?;
            return Ok(None);
        }
        work::prepare(fault.kind, &self.hands.database).await?;
        let id = self.last_id.fetch_add(1, Ordering::Relaxed);
        let name = fault.name_at(target);
        switch.set(Active {
            id,
            name: name.clone(),
            kind: fault.kind,
            method: fault.method.clone(),
            share: fault.share,
            until: fault.lasts.map(|lasts| Instant::now() + lasts),
            struck: 0,
        });
        if let Some(lasts) = fault.lasts {
            let switch = switch.clone();
            tokio::spawn(async move {
                sleep(lasts).await;
                switch.clear(|active| active.id == id);
            });
        }
        tokio::spawn(work::until_gone(fault.kind, id, switch.clone(), self.hands.clone()));
        Ok(Some(name))
    }

    /// The targets of that name, or of the part of that name.
    fn named(&self, name: &str) -> Vec<(&str, Part, &Switch)> {
        let all = self.targets.iter().map(|(target, (part, switch))| (target.as_str(), *part, switch));
        all.filter(|(target, part, _)| *target == name || part.name() == name).collect()
    }

    fn no_target(&self, name: &str) -> FaultError {
        let targets: Vec<_> = self.targets.keys().map(String::as_str).collect();
        FaultError::NoTarget { name: name.to_owned(), known: targets.join(", ") }
    }
}
