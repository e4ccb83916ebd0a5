//! Why a transaction failed, read for what may be done about it.

use std::fmt;

use serde_json::Value;
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;

/// Custom errors that only say "there is something here already", whoever put it there: the system program's
/// `AccountAlreadyInUse`, Token Metadata's `InvalidMintAuthority` (the edition has it) and `ExpectedUninitialized`.
const ALREADY_THERE: [u32; 3] = [0, 10, 199];
/// The system program's `ResultWithNegativeLamports`, and the token program's `InsufficientFunds`.
const TOO_FEW_LAMPORTS: u32 = 1;

/// An error of a transaction that landed, or would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnChainError {
    /// What may be done about it.
    pub kind: OnChainErrorKind,
    /// The cluster's words.
    pub text: String,
}

/// What may be done about an error on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChainErrorKind {
    /// A question for the chain state: neither failure nor success.
    AlreadyThere,
    /// The payer has to be topped up.
    NoFunds,
    /// It needs a higher compute budget.
    NoUnits,
    /// The cluster's trouble of the moment.
    Passing,
    /// It would fail the same way for ever.
    Hopeless,
}

impl fmt::Display for OnChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl OnChainError {
    /// Reads the `err` of a status or a transaction. An error of a name that is not known here yet may pass.
    pub(crate) fn read(err: &Value) -> Self {
        match serde_json::from_value::<TransactionError>(err.clone()) {
            Ok(error) => Self::of(&error),
            Err(_) => Self { kind: OnChainErrorKind::Passing, text: err.to_string() },
        }
    }

    /// Reads an error that was parsed already.
    #[must_use]
    pub fn of(error: &TransactionError) -> Self {
        Self { kind: kind_of(error), text: error.to_string() }
    }
}

fn kind_of(error: &TransactionError) -> OnChainErrorKind {
    match error {
        TransactionError::InstructionError(_, error) => kind_of_instruction(error),
        TransactionError::AccountNotFound
        | TransactionError::InsufficientFundsForFee
        | TransactionError::InsufficientFundsForRent { .. } => OnChainErrorKind::NoFunds,
        TransactionError::AccountInUse
        | TransactionError::AlreadyProcessed
        | TransactionError::BlockhashNotFound
        | TransactionError::ClusterMaintenance
        | TransactionError::AccountBorrowOutstanding
        | TransactionError::WouldExceedMaxBlockCostLimit
        | TransactionError::WouldExceedMaxAccountCostLimit
        | TransactionError::WouldExceedAccountDataBlockLimit
        | TransactionError::WouldExceedMaxVoteCostLimit
        | TransactionError::WouldExceedAccountDataTotalLimit
        | TransactionError::ResanitizationNeeded
        | TransactionError::ProgramExecutionTemporarilyRestricted { .. }
        | TransactionError::UnbalancedTransaction
        | TransactionError::ProgramCacheHitMaxLimit
        | TransactionError::CommitCancelled => OnChainErrorKind::Passing,
        TransactionError::AccountLoadedTwice
        | TransactionError::ProgramAccountNotFound
        | TransactionError::InvalidAccountForFee
        | TransactionError::CallChainTooDeep
        | TransactionError::MissingSignatureForFee
        | TransactionError::InvalidAccountIndex
        | TransactionError::SignatureFailure
        | TransactionError::InvalidProgramForExecution
        | TransactionError::SanitizeFailure
        | TransactionError::UnsupportedVersion
        | TransactionError::InvalidWritableAccount
        | TransactionError::TooManyAccountLocks
        | TransactionError::AddressLookupTableNotFound
        | TransactionError::InvalidAddressLookupTableOwner
        | TransactionError::InvalidAddressLookupTableData
        | TransactionError::InvalidAddressLookupTableIndex
        | TransactionError::InvalidRentPayingAccount
        | TransactionError::DuplicateInstruction(_)
        | TransactionError::MaxLoadedAccountsDataSizeExceeded
        | TransactionError::InvalidLoadedAccountsDataSizeLimit => OnChainErrorKind::Hopeless,
    }
}

fn kind_of_instruction(error: &InstructionError) -> OnChainErrorKind {
    match error {
        InstructionError::Custom(code) if ALREADY_THERE.contains(code) => OnChainErrorKind::AlreadyThere,
        InstructionError::AccountAlreadyInitialized => OnChainErrorKind::AlreadyThere,
        InstructionError::Custom(TOO_FEW_LAMPORTS) | InstructionError::InsufficientFunds => OnChainErrorKind::NoFunds,
        // A program that is stopped in the middle says only that it did not complete.
        InstructionError::ComputationalBudgetExceeded | InstructionError::ProgramFailedToComplete => {
            OnChainErrorKind::NoUnits
        }
        _ => OnChainErrorKind::Hopeless,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_read_for_what_may_be_done_about_it() {
        let kind = |err| OnChainError::read(&err).kind;
        assert_eq!(kind(json!({"InstructionError": [2, {"Custom": 199}]})), OnChainErrorKind::AlreadyThere);
        assert_eq!(kind(json!({"InstructionError": [2, {"Custom": 0}]})), OnChainErrorKind::AlreadyThere);
        assert_eq!(kind(json!({"InstructionError": [1, {"Custom": 1}]})), OnChainErrorKind::NoFunds);
        assert_eq!(kind(json!({"InstructionError": [1, {"Custom": 36}]})), OnChainErrorKind::Hopeless);
        assert_eq!(kind(json!({"InstructionError": [1, "ComputationalBudgetExceeded"]})), OnChainErrorKind::NoUnits);
        assert_eq!(kind(json!("InsufficientFundsForFee")), OnChainErrorKind::NoFunds);
        assert_eq!(kind(json!("BlockhashNotFound")), OnChainErrorKind::Passing);
        assert_eq!(kind(json!("InventedLater")), OnChainErrorKind::Passing);
    }
}
