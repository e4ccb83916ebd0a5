//! IPFS within a stack.

use anyhow::Result;

use super::environment::secret;
use crate::{
    content::{Gateway, PinServer, draw_all},
    layout::Layout,
};

/// IPFS as far as the stack needs it.
pub(super) struct Content {
    pub pins: PinServer,
    pub pins_key: String,
    pub gateways: [Gateway; 2],
}

impl Content {
    pub(super) async fn start(layout: &Layout) -> Result<Self> {
        draw_all(&layout.assets())?;
        let pins_key = secret();
        let pins = PinServer::start(&pins_key, &layout.pins()).await?;
        let gateways = [Gateway::start(&pins).await?, Gateway::start(&pins).await?];
        Ok(Self { pins, pins_key, gateways })
    }
}
