//! The payers: several, so that one hot account is no ceiling.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

use domain::{OperationId, Signature};
use sha2::{Digest, Sha256};
use solana_sdk::pubkey::Pubkey;

use crate::key_error::KeyError;
use crate::signer::{Signer, SignerError, SignerProblem};

/// Sets this choice apart from whatever else is ever hashed of an id and an address.
const CHOICE: &[u8] = b"mintfleet/payer/v1";

/// Who may pay now, at least one. An operation's payer is chosen by its id: of every payer and the id a hash is taken, and
/// the highest wins. So all processes choose alike, each payer has an even share, and where one comes or goes only the
/// operations of that one move.
///
/// The payer of a mint is also the update authority and the creator of the NFT.
#[derive(Debug, Clone)]
pub struct Payers {
    active: Vec<Arc<dyn Signer>>,
    retired: Vec<Pubkey>,
    /// Signers of retired ones whose keys are still here.
    resting: Vec<Arc<dyn Signer>>,
}

impl Payers {
    /// These, but for the retired ones: they pay for nothing any more.
    ///
    /// # Errors
    /// The same payer twice, or none left.
    pub fn new(signers: impl IntoIterator<Item = Arc<dyn Signer>>, retired: &[Pubkey]) -> Result<Self, KeyError> {
        let mut seen = HashSet::new();
        let (mut active, mut resting) = (Vec::new(), Vec::new());
        for signer in signers {
            let address = signer.address();
            if !seen.insert(address) {
                return Err(KeyError::PayerTwice { address });
            }
            if retired.contains(&address) { resting.push(signer) } else { active.push(signer) }
        }
        if active.is_empty() { Err(KeyError::NoPayer) } else { Ok(Self { active, retired: retired.to_vec(), resting }) }
    }

    /// One alone.
    #[must_use]
    pub fn one(signer: Arc<dyn Signer>) -> Self {
        Self { active: vec![signer], retired: Vec::new(), resting: Vec::new() }
    }

    /// Everybody who may pay.
    pub fn addresses(&self) -> impl Iterator<Item = Pubkey> + '_ {
        self.active.iter().map(|signer| signer.address())
    }

    /// Everybody who paid once and does not any more.
    #[must_use]
    pub fn retired(&self) -> &[Pubkey] {
        &self.retired
    }

    /// Whether it is or was one of them: what it minted is ours.
    #[must_use]
    pub fn include(&self, address: &Pubkey) -> bool {
        self.retired.contains(address) || self.addresses().any(|payer| payer == *address)
    }

    /// Who pays for an operation.
    #[must_use]
    pub fn of(&self, id: &OperationId) -> Pubkey {
        self.signer_of(id).address()
    }

    /// Whoever signs for that one, if it is one of them, retired or not, and its key is here.
    pub(crate) fn signer(&self, address: &Pubkey) -> Option<&dyn Signer> {
        let mut signers = self.active.iter().chain(&self.resting);
        signers.find(|signer| signer.address() == *address).map(|signer| &**signer)
    }

    fn signer_of(&self, id: &OperationId) -> &dyn Signer {
        let weight = |signer: &&Arc<dyn Signer>| {
            let address = signer.address();
            let hash = Sha256::new().chain_update(CHOICE).chain_update(id.as_uuid()).chain_update(address).finalize();
            (hash, Reverse(address))
        };
        &**self.active.iter().max_by_key(weight).expect("there is at least one payer")
    }
}

/// Lets `signer` sign and looks whether it did: whoever keeps the key may have mistaken it.
pub(crate) async fn checked_signature(signer: &dyn Signer, message: &[u8]) -> Result<Signature, SignerError> {
    let address = signer.address();
    let signature = signer.sign(message).await?;
    let verified = solana_sdk::signature::Signature::from(*signature.as_bytes()).verify(address.as_ref(), message);
    if verified { Ok(signature) } else { Err(SignerError { address, problem: SignerProblem::WrongSignature }) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use async_trait::async_trait;
    use solana_sdk::signature::Keypair;
    use uuid::Uuid;

    use super::*;
    use crate::signer::KeypairSigner;

    fn signer(byte: u8) -> Arc<dyn Signer> {
        Arc::new(KeypairSigner::new(Keypair::new_from_array([byte; 32])))
    }

    fn payers(bytes: &[u8], retired: &[Pubkey]) -> Result<Payers, KeyError> {
        Payers::new(bytes.iter().map(|byte| signer(*byte)), retired)
    }

    fn ids() -> impl Iterator<Item = OperationId> {
        (0..2_000).map(|number| OperationId::from_uuid(Uuid::from_u128(number)))
    }

    #[test]
    fn each_payer_has_its_share_whatever_the_order_they_are_listed_in() {
        let (one, other) = (payers(&[1, 2, 3, 4], &[]).unwrap(), payers(&[4, 2, 3, 1], &[]).unwrap());
        let mut shares = HashMap::new();
        for id in ids() {
            assert_eq!(one.of(&id), other.of(&id));
            *shares.entry(one.of(&id)).or_insert(0) += 1;
        }
        assert_eq!(shares.len(), 4);
        assert!(shares.values().all(|share| (400..=600).contains(share)), "{shares:?}");
    }

    #[test]
    fn only_a_retired_payers_operations_move() {
        let before = payers(&[1, 2, 3, 4], &[]).unwrap();
        let retired = signer(2).address();
        let after = payers(&[1, 2, 3, 4], &[retired]).unwrap();
        assert!(after.addresses().all(|address| address != retired));
        assert!(after.include(&retired), "what it minted is still ours");
        assert!(after.signer(&retired).is_some(), "and its key, which is here, opens its collections");
        assert!(payers(&[1, 3, 4], &[retired]).unwrap().signer(&retired).is_none());
        assert!(!after.include(&signer(9).address()));
        for id in ids() {
            let stays = before.of(&id) != retired;
            assert_eq!(before.of(&id) == after.of(&id), stays);
        }
    }

    #[test]
    fn a_payer_twice_and_none_at_all_are_refused() {
        let address = signer(1).address();
        assert_eq!(payers(&[1, 2, 1], &[]).unwrap_err().to_string(), format!("payer {address} is given twice"));
        assert!(matches!(payers(&[1], &[address]), Err(KeyError::NoPayer)));
    }

    /// Signs with another key than it says.
    #[derive(Debug)]
    struct Mistaken;

    #[async_trait]
    impl Signer for Mistaken {
        fn address(&self) -> Pubkey {
            signer(1).address()
        }

        async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
            signer(2).sign(message).await
        }
    }

    #[tokio::test]
    async fn a_signature_of_another_key_is_none() {
        assert!(checked_signature(&*signer(1), b"message").await.is_ok());
        let error = checked_signature(&Mistaken, b"message").await.unwrap_err();
        assert_eq!(
            (error.problem.clone(), &*error.failure().code),
            (SignerProblem::WrongSignature, "signer-wrong-signature")
        );
    }
}
