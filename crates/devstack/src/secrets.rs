//! What a stack makes for itself and nobody guesses.

use std::{io, path::Path};

use anyhow::{Result, anyhow};
use solana_sdk::signer::keypair::{Keypair, write_keypair};

use crate::layout::write_private;

/// A keypair of its own, in a file as `solana-keygen` writes it.
pub(crate) fn create_payer(path: &Path) -> Result<Keypair> {
    let payer = Keypair::new();
    let text = write_keypair(&payer, &mut io::sink()).map_err(|error| anyhow!("a keypair as text: {error}"))?;
    write_private(path, &text)?;
    Ok(payer)
}

/// 64 hex digits.
pub(crate) fn secret() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}
