//! Who signs for a payer. The key may lie in this process or be kept by somebody else, who answers later or not at all.

use std::fmt;

use async_trait::async_trait;
use domain::{Failure, FailureClass, Signature};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::{Keypair, Signer as _};

/// Signs for one account. Fit for a key service in the network: whoever calls has a message, waits for a signature, and
/// must do without one.
#[async_trait]
pub trait Signer: fmt::Debug + Send + Sync + 'static {
    /// Whose signatures these are.
    fn address(&self) -> Pubkey;

    /// Signs the bytes of a transaction's message. What was signed is not sent before it is on record, so a signature that
    /// is lost on its way back does no harm.
    ///
    /// # Errors
    /// [`SignerError`].
    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;
}

/// A signer did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signer of {address} {problem}")]
pub struct SignerError {
    /// Whose signer.
    pub address: Pubkey,
    /// What it did instead.
    pub problem: SignerProblem,
}

/// What a signer may do instead of signing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerProblem {
    /// It cannot be reached, or went away in the middle.
    #[error("is not there: {0}")]
    Gone(String),
    /// It took too long.
    #[error("did not answer in time")]
    Silent,
    /// It answered that it will not sign.
    #[error("refused: {0}")]
    Refused(String),
    /// It signed something else, or with another key.
    #[error("gave a signature that is not that account's signature of the message")]
    WrongSignature,
}

impl SignerError {
    /// The failure it is for the operation that waits for the signature. None of them says anything of the operation.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let (class, code) = match &self.problem {
            SignerProblem::Gone(_) => (FailureClass::Outage, "signer-gone"),
            SignerProblem::Silent => (FailureClass::Transient, "signer-silent"),
            SignerProblem::Refused(_) => (FailureClass::Outage, "signer-refused"),
            SignerProblem::WrongSignature => (FailureClass::Outage, "signer-wrong-signature"),
        };
        Failure::new(class, code, self)
    }
}

/// A key in this process. It wipes itself when it is dropped.
pub struct KeypairSigner(Keypair);

impl KeypairSigner {
    /// Signs with this key.
    #[must_use]
    pub const fn new(keypair: Keypair) -> Self {
        Self(keypair)
    }
}

/// Shows what is public.
impl fmt::Debug for KeypairSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeypairSigner").field(&self.0.pubkey()).finish()
    }
}

#[async_trait]
impl Signer for KeypairSigner {
    fn address(&self) -> Pubkey {
        self.0.pubkey()
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        Ok(Signature::from_bytes(self.0.sign_message(message).into()))
    }
}
