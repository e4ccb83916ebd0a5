//! The keys that mint: who pays, and the secrets from which every mint address is derived.

use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretBox, SecretString};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::{Keypair, Signer as _};
use zeroize::Zeroizing;

use crate::key_error::KeyError;
use crate::master::{MasterSecret, MasterSecrets};
use crate::payers::Payers;
use crate::signer::{KeypairSigner, Signer};

/// All that signs mints.
#[derive(Debug, Clone)]
pub struct MintSigner {
    payers: Payers,
    masters: MasterSecrets,
}

impl MintSigner {
    /// One payer and one master secret, at hand already.
    #[must_use]
    pub fn new(payer: Keypair, master: SecretBox<[u8; 32]>, key_id: String) -> Self {
        let masters = MasterSecrets::one(MasterSecret::new(key_id, master));
        Self { payers: Payers::one(Arc::new(KeypairSigner::new(payer))), masters }
    }

    /// One payer's file, as `solana-keygen` writes it, and one master secret, 32 bytes in hexadecimal.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(payer: &Path, master: &SecretString, key_id: String) -> Result<Self, KeyError> {
        let masters = MasterSecrets::one(MasterSecret::parse(key_id, master)?);
        Ok(Self { payers: Payers::one(read_payer(payer)?), masters })
    }

    /// Several payers, and the master secrets of before too.
    #[must_use]
    pub const fn of(payers: Payers, masters: MasterSecrets) -> Self {
        Self { payers, masters }
    }

    /// Who pays, signs as update authority and is the creator.
    #[must_use]
    pub const fn payers(&self) -> &Payers {
        &self.payers
    }

    /// What addresses are derived from.
    #[must_use]
    pub const fn masters(&self) -> &MasterSecrets {
        &self.masters
    }
}

/// A signer with the key of a payer's file, as `solana-keygen` writes it.
///
/// # Errors
/// [`KeyError`].
pub fn read_payer(path: &Path) -> Result<Arc<dyn Signer>, KeyError> {
    Ok(Arc::new(KeypairSigner::new(read_keypair(path)?)))
}

/// Reads the address alone of a payer's file, for whoever has to know it and must not sign.
///
/// # Errors
/// [`KeyError`].
pub fn read_payer_address(path: &Path) -> Result<Pubkey, KeyError> {
    Ok(read_keypair(path)?.pubkey())
}

/// A signer with the key that a text holds, as `solana-keygen` writes it.
///
/// # Errors
/// [`KeyError::NoKeypair`].
pub fn parse_payer(text: &SecretString) -> Result<Arc<dyn Signer>, KeyError> {
    let keypair = parse_keypair(text.expose_secret()).ok_or(KeyError::NoKeypair { path: None })?;
    Ok(Arc::new(KeypairSigner::new(keypair)))
}

pub(crate) fn read_keypair(path: &Path) -> Result<Keypair, KeyError> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
    parse_keypair(&text).ok_or_else(|| KeyError::NoKeypair { path: Some(path.to_owned()) })
}

fn parse_keypair(text: &str) -> Option<Keypair> {
    let bytes = serde_json::from_str(text).map(Zeroizing::<Vec<u8>>::new).ok()?;
    Keypair::try_from(bytes.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payer_comes_from_a_file_or_a_text_and_shows_its_address_alone() {
        let keypair = Keypair::new_from_array([1; 32]);
        let text = format!("{:?}", keypair.to_bytes());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        for payer in [read_payer(file.path()).unwrap(), parse_payer(&text.clone().into()).unwrap()] {
            assert_eq!(payer.address(), keypair.pubkey());
            let shown = format!("{payer:?}");
            assert!(shown.contains(&keypair.pubkey().to_string()) && !shown.contains("1, 1"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_keypair_is_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[1,2,\"hunter2\"]").unwrap();
        let error = MintSigner::load(file.path(), &"00".repeat(32).into(), "k1".into()).unwrap_err();
        assert!(matches!(error, KeyError::NoKeypair { path: Some(_) }));
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!parse_payer(&"hunter2".to_owned().into()).unwrap_err().to_string().contains("hunter2"));
    }
}
