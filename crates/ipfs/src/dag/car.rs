//! Blocks in one stream, version 1: a header that names the root, then every block behind its length and its id.

use bytes::Bytes;

use super::Block;
use super::protobuf::put_varint;
use crate::ContentId;

/// A CAR as it goes over the wire. Holds the blocks' own memory, not a copy.
#[derive(Debug, Clone)]
pub(crate) struct Car {
    pieces: Vec<Bytes>,
    length: u64,
}

impl Car {
    /// Blocks, their root first.
    pub fn of(blocks: &[Block]) -> Self {
        let header = blocks.first().map(|root| Bytes::from(header(&root.id)));
        let sections = blocks.iter().flat_map(|block| [Bytes::from(heading(block)), block.bytes.clone()]);
        let pieces: Vec<Bytes> = header.into_iter().chain(sections).collect();
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { pieces, length }
    }

    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The bytes from there on, at most so many of them, in their pieces.
    pub fn part(&self, from: u64, most: u64) -> Vec<Bytes> {
        let (mut skip, mut left) = (from, most);
        let mut part = Vec::new();
        for piece in &self.pieces {
            let length = piece.len() as u64;
            let begin = skip.min(length);
            skip -= begin;
            let end = length.min(begin + left);
            left -= end - begin;
            if end > begin {
                part.push(piece.slice(index(begin)..index(end)));
            }
        }
        part
    }
}

/// A place within a piece, which is in memory.
fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// `{"roots": [root], "version": 1}` in DAG-CBOR, behind its length.
fn header(root: &ContentId) -> Vec<u8> {
    const TAG_OF_A_CID: [u8; 2] = [0xd8, 0x2a];
    let id = root.to_bytes();
    let mut map = vec![0xa2, 0x65];
    map.extend_from_slice(b"roots");
    map.push(0x81);
    map.extend(TAG_OF_A_CID);
    // Bytes, their number in one more byte, and the zero that stands before a binary CID.
    map.extend([0x58, u8::try_from(id.len() + 1).unwrap_or(u8::MAX), 0x00]);
    map.extend(id);
    map.push(0x67);
    map.extend_from_slice(b"version");
    map.push(0x01);
    let mut header = Vec::new();
    put_varint(&mut header, map.len() as u64);
    header.extend(map);
    header
}

fn heading(block: &Block) -> Vec<u8> {
    let id = block.id.to_bytes();
    let mut heading = Vec::new();
    put_varint(&mut heading, (id.len() + block.bytes.len()) as u64);
    heading.extend(id);
    heading
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dag::blocks_of;

    #[test]
    fn a_stream_is_continued_anywhere() {
        let blocks = blocks_of(&Bytes::from(vec![7; 600_000]));
        let car = Car::of(&blocks);
        let whole = car.part(0, u64::MAX).concat();
        assert_eq!(whole.len() as u64, car.length());
        for from in [0, 1, 57, 58, 59, 100_000, car.length() - 1, car.length()] {
            for most in [0, 1, 300_000, car.length()] {
                let (from_index, end) = (index(from), index(car.length().min(from + most)));
                assert_eq!(car.part(from, most).concat(), whole[from_index..end], "{from}, {most}");
            }
        }
    }
}
