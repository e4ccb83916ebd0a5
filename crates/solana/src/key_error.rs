//! Keys that cannot be used.

use std::path::PathBuf;

use solana_sdk::pubkey::Pubkey;

use crate::signer::SignerProblem;

/// Keys that cannot be used. Never shows any of their content.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A payer's file cannot be read.
    #[error("payer keypair {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A payer's file, or text, holds no keypair.
    #[error("payer keypair{}: no JSON list of 64 bytes that make a keypair, as solana-keygen writes it", shown(path.as_ref()))]
    NoKeypair {
        /// Which file; none for a text.
        path: Option<PathBuf>,
    },
    /// A payer is given twice.
    #[error("payer {address} is given twice")]
    PayerTwice {
        /// Which.
        address: Pubkey,
    },
    /// Nobody is left to pay.
    #[error("no payer is left that is not retired")]
    NoPayer,
    /// The program that keeps keys gives none.
    #[error("the signer command {0}")]
    Command(#[from] SignerProblem),
    /// There is no master secret.
    #[error("no master secret is given")]
    NoMaster,
    /// A master secret has another form.
    #[error("master secret {key_id}: not 32 bytes in hexadecimal")]
    NoSecret {
        /// Its name.
        key_id: String,
    },
    /// Two master secrets have one name.
    #[error("master secret {key_id} is given twice")]
    NameTwice {
        /// The name.
        key_id: String,
    },
    /// Two names stand for one master secret.
    #[error("master secrets {one} and {other} are the same")]
    SecretTwice {
        /// One name.
        one: String,
        /// The other.
        other: String,
    },
}

fn shown(path: Option<&PathBuf>) -> String {
    path.map(|path| format!(" {}", path.display())).unwrap_or_default()
}
