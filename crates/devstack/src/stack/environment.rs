//! The environment that a stack gives to others.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use super::{ipfs::Content, proxies::Proxies};
use crate::{
    layout::Layout,
    postgres::Postgres,
    rpc_front::RpcFront,
    worker::{WORKERS, Worker},
};

/// What workers, `mintctl` and tests read.
pub(super) fn environment(
    layout: &Layout,
    postgres: &Postgres,
    proxies: &Proxies,
    fronts: &[RpcFront],
    content: &Content,
    workers: &[Worker],
) -> BTreeMap<String, String> {
    let path = |path: &Path| path.display().to_string();
    let endpoints: Vec<_> = fronts.iter().map(RpcFront::entry).collect();
    let gateways: Vec<_> = content.gateways.iter().map(|gateway| format!("{}/ipfs/", gateway.url())).collect();
    let ours = [
        ("DATABASE_URL", postgres.url_at(proxies.postgres_port)),
        ("KAFKA_BROKERS", format!("127.0.0.1:{}", proxies.kafka_port)),
        ("SOLANA_RPC_ENDPOINTS", endpoints.join(",")),
        ("PINATA_API_URL", content.first.url()),
        ("PINATA_UPLOADS_URL", content.first.url()),
        ("PINATA_API_KEY", content.first_key.clone()),
        ("PINATA_BACKUP_API_URL", content.backup.url()),
        ("PINATA_BACKUP_UPLOADS_URL", content.backup.url()),
        ("PINATA_BACKUP_API_KEY", content.backup_key.clone()),
        // No plan stands in a local stack's way.
        ("PINATA_REQUESTS_PER_MINUTE", "1000000".to_owned()),
        ("IPFS_GATEWAYS", gateways.join(",")),
        ("ASSET_DIR", path(&layout.assets())),
        ("MINT_PAYER_KEYPAIR", path(&layout.key("payer.json"))),
        ("MINT_MASTER_SECRET_FILE", path(&layout.key("master-secret"))),
        ("MINT_KEY_ID", "devstack-1".to_owned()),
    ];
    let ops = WORKERS.iter().zip(workers).map(|((_, variable), worker)| (*variable, worker.ops_url()));
    ours.into_iter().chain(ops).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The environment as a shell reads it.
pub(super) fn shell(env: &BTreeMap<String, String>) -> String {
    env.iter().fold(String::new(), |mut lines, (name, value)| {
        let _ = writeln!(lines, "export {name}='{}'", value.replace('\'', r"'\''"));
        lines
    })
}
