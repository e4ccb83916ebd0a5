//! Solana, as far as minting needs it: endpoints that tell the truth about failures, one atomic transaction a mint,
//! keys from which nothing can be minted twice, and the statuses of everybody's transactions in few calls.
//!
//! [`Chain`] is the seam: [`Cluster`] answers it over RPC, a simulated chain may stand in its place.

mod account_reader;
mod asking;
mod audit;
mod blockhash;
mod call;
mod chain;
mod cluster;
mod commitment;
mod compute;
mod creation;
mod endpoint;
mod endpoints;
mod expiry;
mod fees;
mod http_sender;
mod landing;
mod metrics;
mod mints;
mod nft;
mod on_chain_error;
mod refreshed;
mod rpc_error;
mod send_outcome;
mod sending;
mod settings;
mod signer;
mod slot_clock;
mod slots;
mod standard;
mod token_metadata;
mod tracker;
mod transport_fault;
mod watching;
mod wire;
mod witness;

pub use audit::{AuditedChain, MINTS_PER_CALL, MintFound, SIGNATURES_PER_CALL};
pub use blockhash::Blockhash;
pub use call::Answer;
pub use chain::{Chain, ChainView, Opinions};
pub use cluster::Cluster;
pub use commitment::Commitment;
pub use compute::{Shape, Simulated};
pub use creation::Creation;
pub use endpoint::{Endpoint, Sender};
pub use endpoints::{ClusterCheck, Endpoints, EndpointsError};
pub use http_sender::HttpRpcSender;
pub use landing::{Landing, Watch};
pub use metrics::describe_metrics;
pub use mints::{Mints, SigningGround};
pub use nft::{Holding, MaxSupply, MetadataAccount, MintAccount, MintState, NftAccounts};
pub use on_chain_error::{OnChainError, OnChainErrorKind};
pub use rpc_error::{RpcError, RpcErrorKind};
pub use send_outcome::SendOutcome;
pub use settings::{DEFAULT_CALLS_PER_SECOND, EndpointAddress, EndpointsSettings, calls_per_second};
pub use signer::{MintSigner, SignerError, read_payer_address};
pub use solana_sdk::pubkey::Pubkey;
pub use standard::{MintOrder, MintPlan, MintStandard, Prefund};
pub use token_metadata::{NftAddresses, TokenMetadata};
pub use transport_fault::TransportFault;
pub use witness::Witness;
