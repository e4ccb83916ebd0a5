//! Files as CARs, read and written by crates that the workers do not use: theirs are checked here.

use std::collections::HashMap;

use bytes::Bytes;
use cid::Cid;
use ipld_dagpb::PbNode;
use iroh_car::{CarHeader, CarReader, CarWriter};

use super::address::{content_id, each_block};

/// A CAR that is not taken, in words for whoever sent it.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadCar {
    #[error("{0}")]
    Malformed(#[from] iroh_car::Error),
    #[error("the CAR has no root")]
    NoRoot,
    #[error("the CAR lacks the block {0}")]
    Missing(Cid),
    #[error("the block {0} is malformed")]
    Block(Cid),
    #[error("the CAR's root is {root}; as this server lays files out it would be {ours}")]
    OtherLayout { root: Cid, ours: Cid },
}

/// The file that a CAR holds. Only files in this server's own layout are taken.
pub(super) async fn unpack(car: &[u8]) -> Result<Bytes, BadCar> {
    let mut reader = CarReader::new(car).await?;
    let root = *reader.header().roots().first().ok_or(BadCar::NoRoot)?;
    let mut blocks = HashMap::new();
    while let Some((cid, block)) = reader.next_block().await? {
        blocks.insert(cid, Bytes::from(block));
    }
    let (mut file, mut next) = (Vec::new(), vec![root]);
    while let Some(cid) = next.pop() {
        let block = blocks.get(&cid).ok_or(BadCar::Missing(cid))?;
        if cid.codec() == content_id(b"").codec() {
            file.extend_from_slice(block);
        } else {
            let node = PbNode::from_bytes(block.clone()).map_err(|_| BadCar::Block(cid))?;
            next.extend(node.links.iter().rev().map(|link| link.cid));
        }
    }
    let ours = content_id(&file);
    if ours == root { Ok(file.into()) } else { Err(BadCar::OtherLayout { root, ours }) }
}

/// A file as a CAR, its root last.
pub(super) async fn pack(file: &[u8]) -> Result<Vec<u8>, BadCar> {
    let mut blocks = Vec::new();
    let root = each_block(file, &mut |cid, block: &[u8]| blocks.push((cid, block.to_vec())));
    let mut writer = CarWriter::new(CarHeader::new_v1(vec![root]), Vec::new());
    for (cid, block) in blocks {
        writer.write(cid, block).await?;
    }
    Ok(writer.finish().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_comes_out_as_it_went_in() {
        let file: Vec<u8> = (0_u32..200_000).flat_map(u32::to_le_bytes).collect();
        for length in [0, 5, 262_144, 262_145, file.len()] {
            let car = pack(&file[..length]).await.unwrap();
            assert!(unpack(&car).await.unwrap() == file[..length], "{length}");
        }
    }

    #[tokio::test]
    async fn a_changed_or_cut_one_is_refused() {
        let mut car = pack(&vec![7; 300_000]).await.unwrap();
        assert!(unpack(&car[..car.len() - 1]).await.is_err());
        car[1000] ^= 1;
        assert!(unpack(&car).await.is_err());
    }
}
