//! The table. It reads like the source document's: what, how often, how long a try may take, the pauses between tries
//! (first, factor, longest, jitter), and what then.

use std::time::Duration;

use super::PolicyName::{
    Confirmation, ContentReachable, DatabaseConflict, DatabaseConnection, DatabaseConsistency, DatabaseHealthy,
    GatewayRetrieval, ImageUpload, IpfsReachable, MetadataAccount, MetadataUpload, PartnerVerification,
    PermanentFailure, RateLimiting, RecordCreation, ServiceDegradation, ServiceOutage, SolanaRpcAvailable,
    TransactionSubmission, TransientNetworkError,
};
use super::{Policy, PolicyName, PolicyRow};
use crate::BackoffPolicy;

/// Waits that the source does not name are its limit for any response; likewise, pauses are a second, doubling.
#[rustfmt::skip] // A table is read by its columns.
pub(super) const ROWS: [PolicyRow; 20] = [
    // Any call.                                    tries  wait       first factor longest jitter
    row(TransientNetworkError, &["R-20"],               3, secs(30), pauses(1_000, 2.0, 30_000, 0.2), "FAILED, or review where an NFT may exist"),
    row(RateLimiting,          &["R-21"],               5, secs(30), pauses(1_000, 2.0, 60_000, 0.2), "another endpoint; Retry-After is heeded, the budget shrinks"),
    row(ServiceDegradation,    &["R-22"],               1, secs(30), NONE,                            "another endpoint; the breaker counts a slow answer as a failure"),
    row(ServiceOutage,         &["R-23"],               1, secs(30), NONE,                            "another endpoint at once"),
    row(PermanentFailure,      &["R-24"],               1, secs(30), NONE,                            "FAILED or dead letter at once"),
    // Before the mint: asked by the health monitor, never per operation.
    row(IpfsReachable,         &["R-60"],               3, secs(5),  pauses(1_000, 2.0,  4_000, 0.2), "uploads wait; no attempt is spent"),
    row(DatabaseHealthy,       &["R-60"],               2, secs(5),  pauses(  500, 2.0,  2_000, 0.2), "all steps wait in Kafka; no attempt is spent"),
    row(SolanaRpcAvailable,    &["R-60"],               3, secs(30), pauses(1_000, 2.0,  4_000, 0.2), "mints and verifications wait; no attempt is spent"),
    // Upload.
    row(ImageUpload,           &["R-40", "R-61"],       5, secs(30), pauses(1_000, 2.0,  4_000, 0.2), "the provider's status is asked, then the backup provider, then FAILED"),
    row(MetadataUpload,        &["R-40", "R-61"],       5, secs(30), pauses(1_000, 2.0,  4_000, 0.2), "the provider's status is asked, then the backup provider, then FAILED"),
    row(RecordCreation,        &["R-61"],               3, secs(30), pauses(  500, 2.0,  2_000, 0.2), "the database's breaker counts it; the record waits in Kafka"),
    // Mint.
    row(TransactionSubmission, &["R-31", "R-62"],       3, secs(30), pauses(2_000, 2.0,  8_000, 0.2), "FAILED once every attempt is decided and the mint absent, else review"),
    row(Confirmation,          &["R-31", "R-62"],       1, secs(60), NONE,                            "the status is asked and the same bytes are sent again; never signed anew for it"),
    row(MetadataAccount,       &["R-31", "R-62"],       5, secs(30), pauses(1_000, 2.0,  8_000, 0.2), "review: an NFT exists"),
    // After the mint.
    row(ContentReachable,      &["R-45", "R-63"],       3, secs(5),  pauses(1_000, 2.0,  4_000, 0.2), "review: an NFT exists"),
    row(GatewayRetrieval,      &["R-45"],               1, secs(5),  NONE,                            "the next gateway; after the last, one error that names what each said"),
    row(PartnerVerification,   &["R-63"],               2, secs(30), pauses(1_000, 2.0,  4_000, 0.2), "review: an NFT exists"),
    row(DatabaseConsistency,   &["R-63"],               2, secs(30), pauses(  500, 2.0,  2_000, 0.2), "review: an NFT exists"),
    // Database. A conflict is tried again after 100 to 500 ms.
    row(DatabaseConflict,      &["R-51"],               2, secs(30), pauses(  300, 1.0,    300, 2.0 / 3.0), "as any failure of its step"),
    row(DatabaseConnection,    &["R-51"],               4, secs(30), pauses(  500, 2.0,  2_000, 0.2), "the database's breaker opens; work waits in Kafka"),
];

/// Between the tries of what is tried once.
const NONE: BackoffPolicy = pauses(0, 1.0, 0, 0.0);

const fn row(
    name: PolicyName,
    requirements: &'static [&'static str],
    attempts: u32,
    wait: Duration,
    pauses: BackoffPolicy,
    escalation: &'static str,
) -> PolicyRow {
    PolicyRow { name, requirements, policy: Policy { attempts, wait, pauses }, escalation }
}

const fn pauses(first_ms: u64, factor: f64, longest_ms: u64, jitter: f64) -> BackoffPolicy {
    BackoffPolicy { first: Duration::from_millis(first_ms), factor, cap: Duration::from_millis(longest_ms), jitter }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl PolicyName {
    /// The name people see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            TransientNetworkError => "transient-network-error",
            RateLimiting => "rate-limiting",
            ServiceDegradation => "service-degradation",
            ServiceOutage => "service-outage",
            PermanentFailure => "permanent-failure",
            IpfsReachable => "ipfs-reachable",
            DatabaseHealthy => "database-healthy",
            SolanaRpcAvailable => "solana-rpc-available",
            ImageUpload => "image-upload",
            MetadataUpload => "metadata-upload",
            RecordCreation => "record-creation",
            TransactionSubmission => "transaction-submission",
            Confirmation => "confirmation",
            MetadataAccount => "metadata-account",
            ContentReachable => "content-reachable",
            GatewayRetrieval => "gateway-retrieval",
            PartnerVerification => "partner-verification",
            DatabaseConsistency => "database-consistency",
            DatabaseConflict => "database-conflict",
            DatabaseConnection => "database-connection",
        }
    }
}
