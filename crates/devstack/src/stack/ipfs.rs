//! IPFS within a stack.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::{
    content::{Gateway, PinServer, draw_all},
    faults::{Part, Switches},
    layout::Layout,
    secrets::secret,
};

/// IPFS as far as the stack needs it: two accounts at pin providers, and gateways that find what either holds.
pub(super) struct Content {
    pub first: PinServer,
    pub first_key: String,
    pub backup: PinServer,
    pub backup_key: String,
    pub gateways: [Gateway; 2],
}

impl Content {
    pub(super) async fn start(layout: &Layout, switches: &mut Switches) -> Result<Self> {
        draw_all(&layout.assets())?;
        let (first_key, backup_key) = (secret(), secret());
        let pins = layout.pins();
        let first = PinServer::start(&first_key, &pins.join("first"), &switches.add(Part::Pins, "pins-first")).await?;
        let switch = switches.add(Part::Pins, "pins-backup");
        let backup = PinServer::start(&backup_key, &pins.join("backup"), &switch).await?;
        let both = [&first, &backup];
        let gateways = [
            Gateway::start(&both, &switches.add(Part::Gateway, "gateway-1")).await?,
            Gateway::start(&both, &switches.add(Part::Gateway, "gateway-2")).await?,
        ];
        Ok(Self { first, first_key, backup, backup_key, gateways })
    }

    /// Requests to both pin servers by kind.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut sum = self.first.counts();
        for (kind, count) in self.backup.counts() {
            *sum.entry(kind).or_insert(0) += count;
        }
        sum
    }
}
