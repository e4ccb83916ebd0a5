//! How calls are shaped so that trouble stays small: shared round trips ([`Gather`]), tries and growing pauses as one
//! table says ([`Policies`]), no more calls than we may make ([`Budget`]), none to what is down ([`Breaker`]), and the
//! best of several endpoints ([`Pool`]). What is known of the dependencies stands on a [`HealthBoard`].
//! Time is the runtime's, which tests pause; randomness is passed in.

mod backoff;
mod breaker;
mod budget;
mod gather;
mod health;
mod jitter;
mod policy;
mod pool;
mod retry_after;

pub use backoff::{Backoff, BackoffPolicy};
pub use breaker::{
    Breaker, BreakerOpen, BreakerProblem, BreakerSettings, BreakerState, Override, OverrideKind, Permit, Position,
};
pub use budget::{Budget, Rate, RateError};
pub use gather::{Gather, Pace};
pub use health::{Dependency, DependencyHealth, HealthBoard, HealthState, LastFailure};
pub use jitter::Jitter;
pub use policy::{Policies, Policy, PolicyFault, PolicyName, PolicyProblem, PolicyRow};
pub use pool::{
    Call, Endpoint, EndpointConfig, EndpointHealth, Fault, InvalidPool, Lease, NoEndpoint, Pool, PoolProblem,
    PoolSettings, Traffic,
};
pub use retry_after::retry_after;
