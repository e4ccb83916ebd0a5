//! How verification says that something is wrong, or not so far yet.

use domain::Failure;
use engine::StepError;
use solana::RpcError;

/// What was found is not what was ordered; every difference at once.
pub(crate) fn wrong(code: &'static str, differences: &[String]) -> StepError {
    StepError::Permanent(Failure::permanent(code, differences.join("; ")))
}

/// The operation lacks what its state promises.
pub(crate) fn missing(what: &str) -> StepError {
    StepError::Permanent(Failure::permanent("incomplete-operation", format!("the operation has no {what}")))
}

/// Nothing is wrong; it takes longer.
pub(crate) fn not_yet(why: &str) -> StepError {
    StepError::Dependency(Failure::transient("not-final-yet", why))
}

/// The chain cannot be asked.
pub(crate) fn dependency(error: &RpcError) -> StepError {
    StepError::Dependency(error.failure())
}
