//! The master secrets, from which every mint address is derived: the one in use, and those of before.

use std::fmt;
use std::sync::Arc;

use domain::{MintAddress, MintOrigin};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use sha2::Sha256;
use solana_sdk::signature::{Keypair, Signer as _};
use zeroize::Zeroizing;

use crate::key_error::KeyError;

/// Sets these keys apart from whatever else is ever derived from the same secret.
const DERIVATION: &[u8] = b"mintfleet/mint/v1";
/// Sets the addresses of upgrades apart from those of all other operations.
const UPGRADE_DERIVATION: &[u8] = b"mintfleet/upgrade/v1";
/// Sets the addresses of collections apart from those of what is put into them.
const COLLECTION_DERIVATION: &[u8] = b"mintfleet/collection/v1";
/// The same for its fingerprint, which therefore tells nothing of any key.
const FINGERPRINT: &[u8] = b"mintfleet/fingerprint/v1";

/// One master secret. It wipes itself when the last of its copies is dropped.
#[derive(Clone)]
pub struct MasterSecret {
    key_id: String,
    secret: Arc<SecretBox<[u8; 32]>>,
}

/// Shows its name alone.
impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MasterSecret").field(&self.key_id).finish()
    }
}

impl MasterSecret {
    /// A secret that is at hand already.
    #[must_use]
    pub fn new(key_id: String, secret: SecretBox<[u8; 32]>) -> Self {
        Self { key_id, secret: Arc::new(secret) }
    }

    /// Reads 32 bytes in hexadecimal.
    ///
    /// # Errors
    /// [`KeyError::NoSecret`].
    pub fn parse(key_id: String, text: &SecretString) -> Result<Self, KeyError> {
        let mut secret = SecretBox::new(Box::new([0; 32]));
        match hex::decode_to_slice(text.expose_secret().trim(), secret.expose_secret_mut()) {
            Ok(()) => Ok(Self::new(key_id, secret)),
            Err(_) => Err(KeyError::NoSecret { key_id }),
        }
    }

    /// Its name in the database.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The address that it gives an NFT: the same for ever.
    #[must_use]
    pub fn address(&self, origin: impl Into<MintOrigin>) -> MintAddress {
        MintAddress::from_bytes(self.mint(&origin.into()).pubkey().to_bytes())
    }

    /// The address that it gives the collection of that label: the same for ever.
    #[must_use]
    pub fn collection_address(&self, label: &str) -> MintAddress {
        MintAddress::from_bytes(self.collection(label).pubkey().to_bytes())
    }

    /// By which it is known again, and nothing else is learned of it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        *self.expand(&[FINGERPRINT])
    }

    /// The keypair of a mint: ed25519 from HKDF-SHA256 of the secret, no salt, over the derivation's name and the 16 bytes
    /// of the operation's id, or the 32 of the burned mint's address. It wipes itself when it is dropped.
    pub(crate) fn mint(&self, origin: &MintOrigin) -> Keypair {
        let seed = match origin {
            MintOrigin::Operation(id) => self.expand(&[DERIVATION, id.as_uuid().as_bytes()]),
            MintOrigin::Burn(burned) => self.expand(&[UPGRADE_DERIVATION, burned.as_bytes()]),
        };
        Keypair::new_from_array(*seed)
    }

    /// The keypair of a collection's mint, derived likewise over the bytes of its label.
    pub(crate) fn collection(&self, label: &str) -> Keypair {
        Keypair::new_from_array(*self.expand(&[COLLECTION_DERIVATION, label.as_bytes()]))
    }

    fn expand(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let hkdf = Hkdf::<Sha256>::new(None, self.secret.expose_secret());
        let mut bytes = Zeroizing::new([0; 32]);
        hkdf.expand_multi_info(info, bytes.as_mut()).expect("32 bytes are within what HKDF-SHA256 expands to");
        bytes
    }
}

/// The master secret in use, and those of before: what was derived from them is still signed for, verified and looked for.
#[derive(Debug, Clone)]
pub struct MasterSecrets {
    active: MasterSecret,
    retired: Vec<MasterSecret>,
}

impl MasterSecrets {
    /// `active` derives every new address.
    ///
    /// # Errors
    /// A name twice, or a secret under two names.
    pub fn new(active: MasterSecret, retired: Vec<MasterSecret>) -> Result<Self, KeyError> {
        let all: Vec<_> = std::iter::once(&active).chain(&retired).collect();
        for (index, one) in all.iter().enumerate() {
            for other in &all[..index] {
                if one.key_id == other.key_id {
                    return Err(KeyError::NameTwice { key_id: one.key_id.clone() });
                }
                if one.fingerprint() == other.fingerprint() {
                    let (one, other) = (other.key_id.clone(), one.key_id.clone());
                    return Err(KeyError::SecretTwice { one, other });
                }
            }
        }
        Ok(Self { active, retired })
    }

    /// One alone.
    #[must_use]
    pub const fn one(active: MasterSecret) -> Self {
        Self { active, retired: Vec::new() }
    }

    /// The one from which new addresses are derived.
    #[must_use]
    pub const fn active(&self) -> &MasterSecret {
        &self.active
    }

    /// Those of before.
    pub fn retired(&self) -> impl Iterator<Item = &MasterSecret> {
        self.retired.iter()
    }

    /// All, the active one first.
    pub fn all(&self) -> impl Iterator<Item = &MasterSecret> {
        std::iter::once(self.active()).chain(self.retired())
    }

    /// Which of them gives an NFT this address.
    #[must_use]
    pub fn deriving(&self, origin: MintOrigin, mint: &MintAddress) -> Option<&MasterSecret> {
        self.all().find(|secret| secret.address(origin) == *mint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(key_id: &str, byte: u8) -> MasterSecret {
        MasterSecret::new(key_id.into(), SecretBox::new(Box::new([byte; 32])))
    }

    fn id(text: &str) -> MintOrigin {
        MintOrigin::Operation(text.parse().unwrap())
    }

    #[test]
    fn the_derivations_of_version_1_never_change() {
        let secret = secret("k1", 7);
        let address = secret.address(id("0199a0b0-0000-7000-8000-000000000001"));
        insta::assert_snapshot!(address, @"AmqDmdT7jmxHyKtSYecnNMfE5WLLfWASDG3hhM3RjiWQ");
        insta::assert_snapshot!(hex::encode(secret.fingerprint()), @"96713af5009f3aacae68126ff7a96602d1807833fd7db0aac0635c5ccce6d57e");
    }

    #[test]
    fn the_derivation_of_upgrades_never_changes_and_meets_no_operation() {
        let secret = secret("k1", 7);
        let burned = MintOrigin::Burn(MintAddress::from_bytes([3; 32]));
        insta::assert_snapshot!(secret.address(burned), @"FxN5MG3WS17ALqNQYiQEUZpkBnUkmYoA5RKa1pANZLx9");
        // The same bytes as far as an id goes.
        assert_ne!(secret.address(burned), secret.address(id("03030303-0303-0303-0303-030303030303")));
        assert_ne!(secret.address(burned), secret.address(MintOrigin::Burn(MintAddress::from_bytes([4; 32]))));
    }

    #[test]
    fn the_derivation_of_collections_never_changes_and_meets_no_operation() {
        let secret = secret("k1", 7);
        insta::assert_snapshot!(secret.collection_address("Quant Apes"), @"4PkxakHKaMBSnVzXJycKnPJxAki4NVQipwNsmm5Gnrjm");
        assert_ne!(secret.collection_address("Quant Apes"), secret.collection_address("Quant Ape"));
        // The same bytes as far as an id goes.
        let id = id("61616161-6161-6161-6161-616161616161");
        assert_ne!(secret.collection_address("aaaaaaaaaaaaaaaa"), secret.address(id));
    }

    #[test]
    fn another_operation_or_secret_has_another_address() {
        let (one, two) = (id("0199a0b0-0000-7000-8000-000000000001"), id("0199a0b0-0000-7000-8000-000000000002"));
        let (seven, eight) = (secret("k1", 7), secret("k1", 8));
        assert_eq!(seven.address(one), seven.address(one));
        assert_ne!(seven.address(one), seven.address(two));
        assert_ne!(seven.address(one), eight.address(one));
        assert_ne!(seven.collection_address("Quant Apes"), eight.collection_address("Quant Apes"));
        assert_ne!(seven.fingerprint(), eight.fingerprint());
    }

    #[test]
    fn an_address_tells_which_secret_it_came_from() {
        let secrets = MasterSecrets::new(secret("k2", 8), vec![secret("k1", 7)]).unwrap();
        let operation = id("0199a0b0-0000-7000-8000-000000000001");
        let from =
            |byte| secrets.deriving(operation, &secret("any", byte).address(operation)).map(MasterSecret::key_id);
        assert_eq!((from(8), from(7), from(6)), (Some("k2"), Some("k1"), None));
    }

    #[test]
    fn names_and_secrets_are_each_other_s() {
        let problem = |retired| MasterSecrets::new(secret("k2", 8), retired).unwrap_err().to_string();
        assert_eq!(problem(vec![secret("k2", 7)]), "master secret k2 is given twice");
        assert_eq!(problem(vec![secret("k1", 8)]), "master secrets k2 and k1 are the same");
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?}", MasterSecrets::new(secret("k2", 8), vec![secret("k1", 7)]).unwrap());
        assert!(shown.contains("k1") && !shown.contains("7, 7") && !shown.contains("0707"), "{shown}");
        let error = MasterSecret::parse("k1".into(), &"hunter2".to_owned().into()).unwrap_err();
        assert_eq!(error.to_string(), "master secret k1: not 32 bytes in hexadecimal");
    }
}
