//! How a file is cut: leaves of 256 KiB under a balanced tree of at most 174 links a node. It is what Kubo does unless it
//! is told otherwise, so that whoever adds the same file by hand finds the same CID.

use bytes::Bytes;

use super::node::{self, Link};
use crate::{BLOCK, ContentId};

const LINKS: usize = 174;

/// Some bytes under their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub id: ContentId,
    pub bytes: Bytes,
}

/// The blocks of a file, its root first. Leaves share the file's memory.
pub(crate) fn blocks_of(file: &Bytes) -> Vec<Block> {
    let cuts = (0..file.len().max(1)).step_by(BLOCK);
    let leaves: Vec<Block> = cuts.map(|at| leaf(file.slice(at..file.len().min(at + BLOCK)))).collect();
    let mut links: Vec<Link> = leaves.iter().map(|leaf| link_to(leaf, 0, leaf.bytes.len() as u64)).collect();
    let mut levels = vec![leaves];
    while links.len() > 1 {
        let (above, nodes) = links.chunks(LINKS).map(join).unzip();
        links = above;
        levels.push(nodes);
    }
    levels.into_iter().rev().flatten().collect()
}

fn leaf(bytes: Bytes) -> Block {
    Block { id: ContentId::of(&bytes), bytes }
}

fn join(links: &[Link]) -> (Link, Block) {
    let bytes = Bytes::from(node::write(links));
    let node = Block { id: ContentId::of_node(&bytes), bytes };
    let below = links.iter().map(|link| link.blocks).sum();
    (link_to(&node, below, links.iter().map(|link| link.content).sum()), node)
}

fn link_to(block: &Block, below: u64, content: u64) -> Link {
    Link { id: block.id, content, blocks: below + block.bytes.len() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up, so that no two leaves are alike.
    fn file(length: usize) -> Bytes {
        (0_u32..).flat_map(u32::to_le_bytes).take(length).collect()
    }

    #[test]
    fn ids_are_those_of_other_implementations() {
        let root = |length| blocks_of(&file(length))[0].id.to_string();
        // Computed with npm `ipfs-unixfs-importer` 15 (rawLeaves, fixed size 262144, balanced, 174 children).
        assert_eq!(root(600_000), "bafybeieyivkj3dyjmsefvqxqiodd7s4cvnlhh7l7wztg7pnqf27um23dum");
        assert_eq!(root(46_000_000), "bafybeid23627mj6swzjrfbjf3typ4twr3n5le5umzx2xqqpkjz7t2fkwsq");
    }

    #[test]
    fn what_fits_one_block_is_one_block() {
        for length in [0, 1, BLOCK] {
            let blocks = blocks_of(&file(length));
            assert_eq!((blocks.len(), blocks[0].bytes.len()), (1, length));
        }
        assert_eq!(blocks_of(&file(BLOCK + 1)).len(), 3);
    }
}
