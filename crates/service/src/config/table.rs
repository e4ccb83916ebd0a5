//! Every variable of the fleet, once. `--help`, the defaults and the documentation all come from here.

use super::variable::Program::{IpfsUploader, MintSubmitter, Mintctl, Verifier};
use super::variable::{Program, Variable};

const EVERYONE: &[Program] = &Program::ALL;
const WORKERS: &[Program] = &Program::WORKERS;
const CHAIN: &[Program] = &[MintSubmitter, Verifier, Mintctl];
const MINTING: &[Program] = &[MintSubmitter, Mintctl];
const CONTENT: &[Program] = &[IpfsUploader, Verifier, Mintctl];
const OPERATING: &[Program] = &[Mintctl];
const PINNING: &[Program] = &[IpfsUploader, Mintctl];

/// Declares each variable and lists them all, so that none can be read that is not listed.
macro_rules! variables {
    ($($name:ident: $kind:ident($($argument:expr),+ $(,)?);)+) => {
        $(
            #[expect(missing_docs, reason = "its meaning is its documentation")]
            pub const $name: Variable = Variable::$kind(stringify!($name), $($argument),+);
        )+

        /// The whole table, in the order in which `--help` shows it.
        pub const ALL: &[Variable] = &[$($name),+];
    };
}

variables! {
    DATABASE_URL: secret("PostgreSQL: postgres://USER:PASSWORD@HOST:PORT/DATABASE", EVERYONE);
    DB_POOL_MIN: new(Some("5"), "Connections kept open", WORKERS);
    DB_POOL_MAX: new(Some("20"), "Connections at most", WORKERS);

    KAFKA_BROKERS: new(None, "HOST:PORT of some brokers, separated by commas", EVERYONE);
    KAFKA_TOPIC_PREFIX: new(None, "Put before every topic and group name, for fleets that share a cluster", EVERYONE);
    KAFKA_SECURITY_PROTOCOL: new(Some("plaintext"), "plaintext, ssl, sasl_plaintext or sasl_ssl", EVERYONE);
    KAFKA_SASL_MECHANISM: new(None, "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; needed with sasl_*", EVERYONE);
    KAFKA_SASL_USERNAME: new(None, "Needed with sasl_*", EVERYONE);
    KAFKA_SASL_PASSWORD: secret("Needed with sasl_*", EVERYONE);
    KAFKA_CA_LOCATION: new(None, "File with the certificates to trust; the system's where it is unset", EVERYONE);
    KAFKA_MAX_RECORD_BYTES: new(Some("1048576"), "Largest record that the topics take, bytes", EVERYONE);
    KAFKA_PROPERTIES: new(None, "Further librdkafka properties: a=b,c=d", EVERYONE);
    KAFKA_GROUP_INSTANCE_ID: new(
        None,
        "Static membership: a name that this process keeps over restarts and shares with no other",
        WORKERS,
    );

    SOLANA_RPC_ENDPOINTS: secret(
        "RPC endpoints in order of preference, separated by commas: URL or LABEL=URL, each followed by ;region=NAME or \
         ;emergency (used only when all others are out) where that is so",
        CHAIN,
    );
    SOLANA_RPC_REGION: new(None, "Where this process is: RPC endpoints of that region are preferred", CHAIN);
    SOLANA_RPC_READS_PER_SECOND: new(Some("1000"), "Calls a second at most to each RPC endpoint, sends aside", CHAIN);
    SOLANA_RPC_SENDS_PER_SECOND: new(Some("1000"), "Transactions a second at most to each RPC endpoint", CHAIN);
    SOLANA_RETRY_ATTEMPTS: new(Some("3"), "Tries of one RPC request in all, over the endpoints", CHAIN);
    SOLANA_TIMEOUT_MS: new(Some("30000"), "How long one RPC request may take, milliseconds", CHAIN);
    SOLANA_PRIORITY_FEE_CAP: new(
        Some("1000000"),
        "Most that is paid for one compute unit, micro-lamports",
        MINTING,
    );
    SOLANA_PRIORITY_FEE_PERCENTILE: new(
        Some("75"),
        "The going price of a compute unit: so many per cent of the recent slots took transactions for it or less",
        MINTING,
    );
    SOLANA_PRIORITY_FEE_FLOOR_ANEW: new(
        Some("10000"),
        "Least that is paid for one compute unit where a transaction is signed anew, micro-lamports",
        MINTING,
    );
    SOLANA_PRIORITY_FEE_FACTOR: new(
        Some("2"),
        "By how much the price of a compute unit grows each time that a transaction is signed anew",
        MINTING,
    );
    MINT_PAYER_KEYPAIR: new(
        None,
        "Files with the payers' keypairs, as solana-keygen writes them, separated by commas. A payer is the update authority \
         and creator of what it mints; each operation's is chosen by its id",
        CHAIN,
    );
    MINT_PAYER_SECRET: secret("Payers' keypairs themselves, likewise, separated by semicolons", MINTING);
    MINT_SIGNER_CMD: new(
        None,
        "Command of a program that signs for payers whose keys it keeps, and gives the master secrets that are not given here \
         (docs/KEYS.md); run by sh, once",
        MINTING,
    );
    MINT_PAYER_ADDRESS: new(
        None,
        "Addresses of payers, separated by commas, for those without the payers' keypairs: the NFTs' creators and update \
         authorities",
        &[Verifier, Mintctl],
    );
    MINT_RETIRED_PAYERS: new(
        None,
        "Addresses of payers that pay for nothing any more, separated by commas: what they minted is still ours, and what they \
         signed is still carried. A keypair may go, unless its payer created a collection that is still minted into",
        CHAIN,
    );
    MINT_MASTER_SECRET: secret("32 bytes, hexadecimal, from which every new mint address is derived", MINTING);
    MINT_KEY_ID: new(Some("1"), "Names the master secret in the database; change both together", MINTING);
    MINT_RETIRED_SECRETS: secret(
        "Master secrets of before, each KEY_ID=SECRET (or the KEY_ID alone, for the signer command), separated by commas: \
         operations that have their address from one are still minted there, and a new one is looked for there before it is \
         signed for",
        MINTING,
    );

    MINT_TREASURY_KEYPAIR: new(
        None,
        "File with the keypair of the treasury, from which payers are topped up; without it people do that",
        &[MintSubmitter],
    );
    MINT_TREASURY_LAMPORTS_PER_DAY: new(
        Some("20000000000"),
        "Most that leaves the treasury within 24 hours, for all payers together",
        MINTING,
    );
    MINT_PAYER_TOP_UP_BELOW_LAMPORTS: new(Some("1000000000"), "A payer that holds less is topped up", MINTING);
    MINT_PAYER_TOP_UP_LAMPORTS: new(Some("5000000000"), "How much a payer is topped up with at a time", MINTING);
    MINT_PAYER_PAUSE_BELOW_LAMPORTS: new(
        Some("100000000"),
        "A payer that holds less signs nothing until it holds more: some mints' worth, for those under way are to be paid too",
        MINTING,
    );

    PINATA_API_URL: new(Some("https://api.pinata.cloud"), "Pinata's API", PINNING);
    PINATA_UPLOADS_URL: new(Some("https://uploads.pinata.cloud"), "Pinata's upload service", PINNING);
    PINATA_API_KEY: secret("Pinata's JWT", PINNING);
    PINATA_REQUESTS_PER_MINUTE: new(
        Some("60"),
        "Requests that the plan of a Pinata account allows, a minute; this process's share where several pin",
        &[IpfsUploader],
    );
    PINATA_RESUMABLE_ABOVE_BYTES: new(
        Some("100000000"),
        "Uploads of more bytes are sent in resumable pieces",
        &[IpfsUploader],
    );
    PINATA_BACKUP_API_URL: new(
        Some("https://api.pinata.cloud"),
        "API of the backup account",
        &[IpfsUploader],
    );
    PINATA_BACKUP_UPLOADS_URL: new(
        Some("https://uploads.pinata.cloud"),
        "Upload service of the backup account",
        &[IpfsUploader],
    );
    PINATA_BACKUP_API_KEY: secret(
        "JWT of an account that takes content while the first one is down; without it there is none",
        &[IpfsUploader],
    );
    KUBO_API_URL: new(
        None,
        "RPC API of a Kubo node that takes content while every account is down, such as http://127.0.0.1:5001; without it \
         there is none",
        &[IpfsUploader],
    );
    IPFS_GATEWAYS: new(
        Some("https://gateway.pinata.cloud,https://cloudflare-ipfs.com,https://ipfs.io,http://127.0.0.1:8080"),
        "Gateways in order of preference, separated by commas",
        CONTENT,
    );
    IPFS_RETRY_ATTEMPTS: new(Some("5"), "Tries of one upload or retrieval in all", CONTENT);
    ASSET_DIR: new(None, "Directory of the images that `asset:NAME` means; without it there are none", PINNING);
    IMAGE_ALLOW_PRIVATE: new(
        Some("false"),
        "Whether images may come over plain http and from private addresses: for local stacks only",
        &[IpfsUploader],
    );

    ROLLBACK_AFTER_SECONDS: new(
        Some("86400"),
        "How long after it failed for good an operation's content is unpinned, where nobody else uses it; until then \
         a person may have it tried again with that",
        &[IpfsUploader],
    );
    ATTEMPT_BYTES_KEPT_DAYS: new(
        Some("7"),
        "How long the bytes of a transaction are kept once it is decided; its signature and its verdict stay",
        &[Verifier],
    );
    PARTNER_VERIFY_URL: secret(
        "A partner's API that is asked about each NFT before it is VERIFIED, with GET URL?mint=…&wallet=…, and answers \
         {\"verified\":true} or {\"verified\":false,\"reason\":\"…\"}; without it none is",
        &[Verifier],
    );
    RECONCILE_EVERY_SECONDS: new(
        Some("3600"),
        "How long after one comparison of the whole chain with the whole of the records the next one begins",
        &[Verifier],
    );

    CB_FAILURE_THRESHOLD: new(Some("5"), "Failures in a row that open a circuit breaker", WORKERS);
    CB_TIMEOUT_MS: new(Some("30000"), "How long an open circuit breaker rests at most, milliseconds", WORKERS);
    CB_SLOW_MS: new(Some("30000"), "An answer that takes longer counts as a failure, milliseconds", WORKERS);

    RETRY_SHARE_PERCENT: new(
        Some("30"),
        "Share of the operations at work in a step that may be retries while fresh ones wait, per cent",
        WORKERS,
    );
    FLOOD_RECORDS: new(
        Some("500"),
        "So many of a partition's last records are looked at to see whether poison is a flood that stops it",
        WORKERS,
    );
    FLOOD_POISON_PERCENT: new(
        Some("50"),
        "Poison is a flood where it is a larger share of them than this, per cent; at 100 it never is",
        WORKERS,
    );

    OPS_LISTEN: new(
        None,
        "ADDRESS:PORT of /livez, /readyz, /metrics and /version; unset: 127.0.0.1 and port 9401 for ipfs-uploader, 9402 \
         for mint-submitter, 9403 for verifier",
        WORKERS,
    );
    IPFS_UPLOADER_OPS_URL: new(
        Some("http://127.0.0.1:9401"),
        "Where each ipfs-uploader tells how it is (its OPS_LISTEN), separated by commas",
        OPERATING,
    );
    MINT_SUBMITTER_OPS_URL: new(Some("http://127.0.0.1:9402"), "The same of mint-submitter", OPERATING);
    VERIFIER_OPS_URL: new(Some("http://127.0.0.1:9403"), "The same of verifier", OPERATING);
    SHUTDOWN_GRACE_SECONDS: new(Some("25"), "How long work in hand may take to finish after SIGTERM", WORKERS);
    LOG_FORMAT: new(Some("json"), "json or text; on stderr", WORKERS);
    RUST_LOG: new(Some("info"), "Which messages are logged, such as info,kafka=debug", WORKERS);
}
