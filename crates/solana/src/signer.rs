//! The keys: who pays, and the secret from which every mint address is derived.

use std::fmt;
use std::path::{Path, PathBuf};

use domain::{MintAddress, MintOrigin};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::{Keypair, Signer};
use zeroize::Zeroizing;

/// Sets these keys apart from whatever else is ever derived from the same secret.
const DERIVATION: &[u8] = b"mintfleet/mint/v1";
/// Sets the addresses of upgrades apart from those of all other operations.
const UPGRADE_DERIVATION: &[u8] = b"mintfleet/upgrade/v1";

/// Keys that cannot be used. Never shows any of their content.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The payer's file cannot be read.
    #[error("payer keypair {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The payer's file holds no keypair.
    #[error("payer keypair {}: no JSON list of 64 bytes that make a keypair, as solana-keygen writes it", path.display())]
    NoKeypair {
        /// Which file.
        path: PathBuf,
    },
    /// The master secret has another form.
    #[error("master secret: not 32 bytes in hexadecimal")]
    NoSecret,
}

/// Signs mints. The payer is also the update authority and the only creator.
pub struct MintSigner {
    payer: Keypair,
    master: SecretBox<[u8; 32]>,
    key_id: String,
}

/// Shows what is public.
impl fmt::Debug for MintSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintSigner")
            .field("payer", &self.payer.pubkey())
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl MintSigner {
    /// Keys that are at hand already.
    #[must_use]
    pub const fn new(payer: Keypair, master: SecretBox<[u8; 32]>, key_id: String) -> Self {
        Self { payer, master, key_id }
    }

    /// Reads the payer's file, as `solana-keygen` writes it, and the master secret, 32 bytes in hexadecimal.
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn load(payer: &Path, master: &SecretString, key_id: String) -> Result<Self, SignerError> {
        let mut secret = SecretBox::new(Box::new([0; 32]));
        let bytes = secrecy::ExposeSecretMut::expose_secret_mut(&mut secret);
        hex::decode_to_slice(master.expose_secret().trim(), bytes).map_err(|_| SignerError::NoSecret)?;
        Ok(Self::new(read_payer(payer)?, secret, key_id))
    }

    /// Who pays, signs as update authority and is the creator.
    #[must_use]
    pub fn payer(&self) -> Pubkey {
        self.payer.pubkey()
    }

    /// The name of the master secret.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The address of an NFT: the same for ever.
    #[must_use]
    pub fn address(&self, origin: &MintOrigin) -> MintAddress {
        MintAddress::from_bytes(self.mint(origin).pubkey().to_bytes())
    }

    pub(crate) const fn payer_keypair(&self) -> &Keypair {
        &self.payer
    }

    /// The keypair of a mint: ed25519 from HKDF-SHA256 of the master secret, no salt, over the derivation's name and the
    /// 16 bytes of the operation's id, or the 32 of the burned mint's address. It wipes itself when dropped.
    pub(crate) fn mint(&self, origin: &MintOrigin) -> Keypair {
        let info = match origin {
            MintOrigin::Operation(id) => [DERIVATION, id.as_uuid().as_bytes()],
            MintOrigin::Burn(burned) => [UPGRADE_DERIVATION, burned.as_bytes()],
        };
        let hkdf = Hkdf::<Sha256>::new(None, self.master.expose_secret());
        let mut seed = Zeroizing::new([0; 32]);
        hkdf.expand_multi_info(&info, seed.as_mut()).expect("32 bytes are within what HKDF-SHA256 expands to");
        Keypair::new_from_array(*seed)
    }
}

/// Reads the address alone of a payer's file, for whoever has to know it and must not sign.
///
/// # Errors
/// [`SignerError`].
pub fn read_payer_address(payer: &Path) -> Result<Pubkey, SignerError> {
    Ok(read_payer(payer)?.pubkey())
}

pub(crate) fn read_payer(path: &Path) -> Result<Keypair, SignerError> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|source| SignerError::Unreadable { path: path.to_owned(), source })?;
    let no_keypair = || SignerError::NoKeypair { path: path.to_owned() };
    let bytes = serde_json::from_str(&text).map(Zeroizing::<Vec<u8>>::new).map_err(|_| no_keypair())?;
    Keypair::try_from(bytes.as_slice()).map_err(|_| no_keypair())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(byte: u8) -> MintSigner {
        MintSigner::new(Keypair::new_from_array([1; 32]), SecretBox::new(Box::new([byte; 32])), "k1".into())
    }

    fn id(text: &str) -> MintOrigin {
        MintOrigin::Operation(text.parse().unwrap())
    }

    #[test]
    fn the_derivation_of_version_1_never_changes() {
        let address = signer(7).address(&id("0199a0b0-0000-7000-8000-000000000001"));
        insta::assert_snapshot!(address, @"AmqDmdT7jmxHyKtSYecnNMfE5WLLfWASDG3hhM3RjiWQ");
    }

    #[test]
    fn the_derivation_of_upgrades_never_changes_and_meets_no_operation() {
        let burned = MintOrigin::Burn(MintAddress::from_bytes([3; 32]));
        insta::assert_snapshot!(signer(7).address(&burned), @"FxN5MG3WS17ALqNQYiQEUZpkBnUkmYoA5RKa1pANZLx9");
        // The same bytes as far as an id goes.
        let id = MintOrigin::Operation("03030303-0303-0303-0303-030303030303".parse().unwrap());
        assert_ne!(signer(7).address(&burned), signer(7).address(&id));
        assert_ne!(signer(7).address(&burned), signer(7).address(&MintOrigin::Burn(MintAddress::from_bytes([4; 32]))));
    }

    #[test]
    fn another_operation_or_secret_has_another_address() {
        let (one, two) = (id("0199a0b0-0000-7000-8000-000000000001"), id("0199a0b0-0000-7000-8000-000000000002"));
        assert_eq!(signer(7).address(&one), signer(7).address(&one));
        assert_ne!(signer(7).address(&one), signer(7).address(&two));
        assert_ne!(signer(7).address(&one), signer(8).address(&one));
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?}", signer(7));
        assert!(shown.contains("k1") && !shown.contains("7, 7"), "{shown}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[1,2,\"hunter2\"]").unwrap();
        let error = MintSigner::load(file.path(), &"00".repeat(32).into(), "k1".into()).unwrap_err();
        assert!(matches!(error, SignerError::NoKeypair { .. }));
        assert!(!error.to_string().contains("hunter2"), "{error}");
        let error = MintSigner::load(file.path(), &"hunter2".to_owned().into(), "k1".into()).unwrap_err();
        assert_eq!(error.to_string(), "master secret: not 32 bytes in hexadecimal");
    }
}
