//! How calls are shaped so that trouble stays small: shared round trips ([`Gather`]), growing pauses ([`Backoff`]), no
//! calls to what is down ([`Breaker`]). Time is the runtime's, which tests pause; randomness is passed in.

mod backoff;
mod breaker;
mod gather;
mod health;
mod jitter;
mod policy;

pub use backoff::{Backoff, BackoffPolicy};
pub use breaker::{
    Breaker, BreakerOpen, BreakerProblem, BreakerSettings, BreakerState, Override, OverrideKind, Permit, Position,
};
pub use gather::Gather;
pub use health::{Dependency, DependencyHealth, HealthBoard, HealthState, LastFailure};
pub use jitter::Jitter;
pub use policy::{Policies, Policy, PolicyFault, PolicyName, PolicyProblem, PolicyRow};
