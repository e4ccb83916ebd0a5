//! Content ids as Kubo and Pinata compute them: one raw block up to 256 KiB, above that a balanced `UnixFS` tree of raw
//! leaves (<https://specs.ipfs.tech/unixfs/>, `dag-pb` of <https://ipld.io/specs/codecs/dag-pb/spec/>).

use cid::Cid;
use cid::multihash::Multihash;
use sha2::{Digest, Sha256};

const RAW: u64 = 0x55;
const DAG_PB: u64 = 0x70;
const SHA2_256: u64 = 0x12;
const LEAF: usize = 256 * 1024;
const LINKS_PER_NODE: usize = 174;

/// The CIDv1 of a file of these bytes; its text form is base32.
#[must_use]
pub fn content_id(bytes: &[u8]) -> Cid {
    each_block(bytes, &mut |_, _| {})
}

/// Tells every block of the file, its root last; answers with the root's id.
pub(super) fn each_block(bytes: &[u8], tell: &mut impl FnMut(Cid, &[u8])) -> Cid {
    if bytes.len() <= LEAF {
        let cid = block_id(RAW, bytes);
        tell(cid, bytes);
        return cid;
    }
    let mut level: Vec<Subtree> = bytes.chunks(LEAF).map(|chunk| Subtree::leaf(chunk, tell)).collect();
    while level.len() > 1 {
        level = level.chunks(LINKS_PER_NODE).map(|children| Subtree::node(children, tell)).collect();
    }
    level[0].cid
}

fn block_id(codec: u64, block: &[u8]) -> Cid {
    let digest = Multihash::wrap(SHA2_256, &Sha256::digest(block)).expect("a multihash holds 64 bytes");
    Cid::new_v1(codec, digest)
}

struct Subtree {
    cid: Cid,
    /// Bytes of the file below it.
    content: u64,
    /// Bytes of all its blocks.
    blocks: u64,
}

impl Subtree {
    fn leaf(chunk: &[u8], tell: &mut impl FnMut(Cid, &[u8])) -> Self {
        let (cid, size) = (block_id(RAW, chunk), chunk.len() as u64);
        tell(cid, chunk);
        Self { cid, content: size, blocks: size }
    }

    fn node(children: &[Self], tell: &mut impl FnMut(Cid, &[u8])) -> Self {
        let content = children.iter().map(|child| child.content).sum();
        let mut file = vec![0x08, 0x02, 0x18];
        varint(&mut file, content);
        let mut block = Vec::new();
        for child in children {
            file.push(0x20);
            varint(&mut file, child.content);
            let mut link = Vec::new();
            field(&mut link, 0x0a, &child.cid.to_bytes());
            field(&mut link, 0x12, b"");
            link.push(0x18);
            varint(&mut link, child.blocks);
            field(&mut block, 0x12, &link);
        }
        field(&mut block, 0x0a, &file);
        let below: u64 = children.iter().map(|child| child.blocks).sum();
        let cid = block_id(DAG_PB, &block);
        tell(cid, &block);
        Self { cid, content, blocks: below + block.len() as u64 }
    }
}

fn field(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number.to_le_bytes()[0];
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up, so that no two leaves are alike.
    fn bytes(length: usize) -> Vec<u8> {
        (0_u32..).flat_map(u32::to_le_bytes).take(length).collect()
    }

    #[test]
    fn ids_are_those_of_other_implementations() {
        // Computed with npm `ipfs-unixfs-importer` 15 (rawLeaves, fixed size 262144, balanced, 174 children).
        assert_eq!(content_id(b"hello").to_string(), "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
        assert_eq!(
            content_id(&bytes(600_000)).to_string(),
            "bafybeieyivkj3dyjmsefvqxqiodd7s4cvnlhh7l7wztg7pnqf27um23dum"
        );
        assert_eq!(
            content_id(&bytes(46_000_000)).to_string(),
            "bafybeid23627mj6swzjrfbjf3typ4twr3n5le5umzx2xqqpkjz7t2fkwsq"
        );
    }
}
