//! One block of a tree: links to the blocks below it (`dag-pb`, <https://ipld.io/specs/codecs/dag-pb/spec/>) and what
//! they are a part of (UnixFS).

use super::protobuf::{Fields, Malformed, Value, put_bytes, put_number};
use crate::ContentId;

/// UnixFS's numbers for what is a file.
const RAW: u64 = 0;
const FILE: u64 = 2;

/// What stands below a link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub id: ContentId,
    /// Bytes of the file.
    pub content: u64,
    /// Bytes of all blocks.
    pub blocks: u64,
}

/// The block over these links.
pub(super) fn write(links: &[Link]) -> Vec<u8> {
    let mut file = Vec::new();
    put_number(&mut file, 1, FILE);
    put_number(&mut file, 3, links.iter().map(|link| link.content).sum());
    let mut block = Vec::new();
    for link in links {
        put_number(&mut file, 4, link.content);
        let mut entry = Vec::new();
        put_bytes(&mut entry, 1, &link.id.to_bytes());
        put_bytes(&mut entry, 2, b"");
        put_number(&mut entry, 3, link.blocks);
        put_bytes(&mut block, 2, &entry);
    }
    put_bytes(&mut block, 1, &file);
    block
}

/// What a block says: its own share of the file comes before what is below its links.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Node<'a> {
    pub own: &'a [u8],
    pub links: Vec<ContentId>,
    /// Bytes of the file as the block has it; whether that is so shows when all is there.
    pub announced: Option<u64>,
}

/// A content that is there and cannot be read as one file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAFile {
    /// A folder, a symbolic link, or something newer.
    #[error("it is no file")]
    OtherKind,
    /// A block that nobody can read.
    #[error("a block of it is malformed")]
    Malformed,
    /// A block of another kind than files are made of.
    #[error("it is made of blocks that cannot be checked: {0}")]
    Unverifiable(String),
    /// It would take too long to put together.
    #[error("it has more than {limit} blocks")]
    TooManyBlocks {
        /// The bound.
        limit: usize,
    },
    /// More bytes than are taken.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
}

impl From<Malformed> for NotAFile {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

pub(super) fn read(block: &[u8]) -> Result<Node<'_>, NotAFile> {
    let (mut node, mut kind) = (Node::default(), None);
    for field in Fields(block) {
        match field? {
            (1, Value::Bytes(file)) => kind = read_file(file, &mut node)?,
            (2, Value::Bytes(link)) => node.links.push(read_link(link)?),
            _ => return Err(NotAFile::Malformed),
        }
    }
    match kind {
        Some(RAW | FILE) => Ok(node),
        Some(_) | None => Err(NotAFile::OtherKind),
    }
}

/// Later versions may say more of a file than is known here (its mode and time, so far).
fn read_file<'a>(file: &'a [u8], node: &mut Node<'a>) -> Result<Option<u64>, NotAFile> {
    let mut kind = None;
    for field in Fields(file) {
        match field? {
            (1, Value::Number(number)) => kind = Some(number),
            (2, Value::Bytes(own)) => node.own = own,
            (3, Value::Number(bytes)) => node.announced = Some(bytes),
            (_, Value::Number(_) | Value::Bytes(_)) => {}
        }
    }
    Ok(kind)
}

fn read_link(link: &[u8]) -> Result<ContentId, NotAFile> {
    let hash = Fields(link).find_map(|field| match field {
        Ok((1, Value::Bytes(id))) => Some(Ok(id)),
        Ok(_) => None,
        Err(malformed) => Some(Err(malformed)),
    });
    let id = cid::Cid::try_from(hash.ok_or(NotAFile::Malformed)??).map_err(|_| NotAFile::Malformed)?;
    ContentId::try_from(id).map_err(|refused| NotAFile::Unverifiable(refused.reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let link = |text: &str| Link { id: ContentId::of(text.as_bytes()), content: 5, blocks: 5 };
        let links = [link("hello"), link("world")];
        let block = write(&links);
        let node = read(&block).unwrap();
        assert_eq!((node.own, node.announced), (&b""[..], Some(10)));
        assert_eq!(node.links, links.map(|link| link.id));
    }

    #[test]
    fn what_is_no_file_is_told_from_what_is_nothing() {
        // An empty folder, as `ipfs object new unixfs-dir` has it.
        assert_eq!(read(&[0x0a, 0x02, 0x08, 0x01]), Err(NotAFile::OtherKind));
        assert_eq!(read(b""), Err(NotAFile::OtherKind));
        assert_eq!(read(b"nonsense"), Err(NotAFile::Malformed));
        // Small files may stand in the node itself.
        let small = [0x0a, 0x0b, 0x08, 0x02, 0x12, 0x05, b'h', b'e', b'l', b'l', b'o', 0x18, 0x05];
        assert_eq!(read(&small).unwrap().own, b"hello");
    }
}
