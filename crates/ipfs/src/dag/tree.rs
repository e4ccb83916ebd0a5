//! A file put together from its blocks, in whatever order and from however many places they come.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};

use super::Block;
use super::node::{self, NotAFile};
use crate::ContentId;

/// Most blocks that are walked through: no tree may take long that is small in bytes and endless in links.
const MOST_BLOCKS: usize = 100_000;
/// What a file's nodes may take besides its bytes.
const NODES: usize = 1 << 20;

/// The blocks of one file that are there so far. Those that it is given have been checked against their ids.
#[derive(Debug)]
pub(crate) struct Tree {
    root: ContentId,
    limit: usize,
    held: usize,
    blocks: HashMap<ContentId, Bytes>,
}

/// Why there is no file yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// Blocks are missing.
    Missing,
    /// And there never will be one.
    Never(NotAFile),
}

impl From<NotAFile> for Unfinished {
    fn from(reason: NotAFile) -> Self {
        Self::Never(reason)
    }
}

/// More was sent than the file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuch;

impl Tree {
    /// A file of at most `limit` bytes.
    pub fn new(root: ContentId, limit: usize) -> Self {
        Self { root, limit, held: 0, blocks: HashMap::new() }
    }

    pub fn add(&mut self, block: Block) -> Result<(), TooMuch> {
        if self.held + block.bytes.len() > self.limit + NODES {
            return Err(TooMuch);
        }
        let length = block.bytes.len();
        if self.blocks.insert(block.id, block.bytes).is_none() {
            self.held += length;
        }
        Ok(())
    }

    /// The file.
    pub fn file(&self) -> Result<Bytes, Unfinished> {
        if !self.root.is_node() {
            let bytes = self.blocks.get(&self.root).cloned().ok_or(Unfinished::Missing)?;
            return if bytes.len() > self.limit { Err(self.too_large().into()) } else { Ok(bytes) };
        }
        let (mut file, mut next, mut seen) = (BytesMut::new(), vec![self.root], 0);
        while let Some(id) = next.pop() {
            let block = self.blocks.get(&id).ok_or(Unfinished::Missing)?;
            let own = if id.is_node() { self.step_into(block, &mut next)? } else { block };
            seen += 1;
            if seen + next.len() > MOST_BLOCKS {
                return Err(NotAFile::TooManyBlocks { limit: MOST_BLOCKS }.into());
            }
            if file.len() + own.len() > self.limit {
                return Err(self.too_large().into());
            }
            file.extend_from_slice(own);
        }
        Ok(file.freeze())
    }

    fn step_into<'a>(&self, block: &'a Bytes, next: &mut Vec<ContentId>) -> Result<&'a [u8], NotAFile> {
        let node = node::read(block)?;
        if node.announced.is_some_and(|bytes| bytes > self.limit as u64) {
            return Err(self.too_large());
        }
        next.extend(node.links.into_iter().rev());
        Ok(node.own)
    }

    fn too_large(&self) -> NotAFile {
        NotAFile::TooLarge { limit: self.limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dag::blocks_of;
    use crate::dag::node::Link;

    fn file() -> Bytes {
        (0..=u8::MAX).cycle().take(700_000).collect()
    }

    fn tree_of(blocks: impl IntoIterator<Item = Block>, root: ContentId, limit: usize) -> Tree {
        let mut tree = Tree::new(root, limit);
        blocks.into_iter().for_each(|block| tree.add(block).unwrap());
        tree
    }

    #[test]
    fn a_file_is_whole_whatever_the_order_and_never_before() {
        let blocks = blocks_of(&file());
        let mut tree = Tree::new(blocks[0].id, 1 << 20);
        for block in blocks.into_iter().rev() {
            assert_eq!(tree.file(), Err(Unfinished::Missing));
            tree.add(block).unwrap();
        }
        assert_eq!(tree.file(), Ok(file()));
    }

    #[test]
    fn what_is_too_large_is_known_by_its_root() {
        let root = blocks_of(&file()).remove(0);
        let tree = tree_of([root.clone()], root.id, 699_999);
        assert_eq!(tree.file(), Err(NotAFile::TooLarge { limit: 699_999 }.into()));
    }

    #[test]
    fn nobody_can_send_more_than_fits() {
        let mut tree = Tree::new(ContentId::of(b""), 10);
        let block = |fill: u8| {
            let bytes = Bytes::from(vec![fill; NODES / 2]);
            Block { id: ContentId::of(&bytes), bytes }
        };
        assert_eq!([1, 2, 3].map(|fill| tree.add(block(fill))), [Ok(()), Ok(()), Err(TooMuch)]);
    }

    #[test]
    fn a_tree_that_is_endless_in_links_is_given_up() {
        let mut links = vec![Link { id: ContentId::of(b""), content: 0, blocks: 0 }; 100];
        let mut blocks = vec![Block { id: ContentId::of(b""), bytes: Bytes::new() }];
        for _ in 0..10 {
            let bytes = Bytes::from(node::write(&links));
            let id = ContentId::of_node(&bytes);
            links = vec![Link { id, content: 0, blocks: 0 }; 100];
            blocks.push(Block { id, bytes });
        }
        let tree = tree_of(blocks, links[0].id, 1 << 20);
        assert_eq!(tree.file(), Err(NotAFile::TooManyBlocks { limit: MOST_BLOCKS }.into()));
    }
}
