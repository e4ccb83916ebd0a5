//! Reads a CAR as it comes, and lets nothing through that is not what its id names.

use bytes::{Buf as _, BytesMut};

use super::Block;
use super::protobuf::take_varint;
use crate::{ContentId, Unverifiable};

/// No peer of the network passes on larger blocks.
const MAX_BLOCK: usize = 4 << 20;
/// An id, or a header with its roots.
const MAX_HEADING: usize = 4096;
/// A number's longest form.
const MAX_VARINT: usize = 10;

/// Why a stream is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadCar {
    /// It is no CAR, or no whole one.
    Malformed(&'static str),
    /// A block under an id that says nothing of its bytes.
    Unverifiable(Unverifiable),
    /// A block that is not what its id names.
    OtherBytes,
}

/// A stream, of which any part may be there. Its header is not looked at: whoever knows the root needs no word of it.
#[derive(Debug, Default)]
pub(crate) struct CarReader {
    buffer: BytesMut,
    begun: bool,
}

impl CarReader {
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next block; none where more of the stream is needed for it.
    pub fn next_block(&mut self) -> Result<Option<Block>, BadCar> {
        if !self.begun {
            if self.next_section()?.is_none() {
                return Ok(None);
            }
            self.begun = true;
        }
        self.next_section()?.map(checked).transpose()
    }

    /// Ends the stream, which must not break off within a block.
    pub fn finish(self) -> Result<(), BadCar> {
        if self.begun && self.buffer.is_empty() { Ok(()) } else { Err(BadCar::Malformed("the CAR breaks off")) }
    }

    fn next_section(&mut self) -> Result<Option<BytesMut>, BadCar> {
        let mut rest = &self.buffer[..];
        let Some(length) = take_varint(&mut rest) else {
            let whole = self.buffer.len() >= MAX_VARINT;
            return if whole { Err(BadCar::Malformed("no CAR")) } else { Ok(None) };
        };
        let heading = self.buffer.len() - rest.len();
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BLOCK + MAX_HEADING);
        let length = length.ok_or(BadCar::Malformed("no CAR, or one with too large a block"))?;
        if rest.len() < length {
            return Ok(None);
        }
        self.buffer.advance(heading);
        Ok(Some(self.buffer.split_to(length)))
    }
}

fn checked(mut section: BytesMut) -> Result<Block, BadCar> {
    let mut rest = &section[..];
    let id = cid::Cid::read_bytes(&mut rest).map_err(|_| BadCar::Malformed("a block without an id"))?;
    let id = ContentId::try_from(id).map_err(BadCar::Unverifiable)?;
    let heading = section.len() - rest.len();
    section.advance(heading);
    let bytes = section.freeze();
    if id.matches(&bytes) { Ok(Block { id, bytes }) } else { Err(BadCar::OtherBytes) }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::dag::{Car, blocks_of};

    fn blocks() -> Vec<Block> {
        blocks_of(&(0..=u8::MAX).cycle().take(600_000).collect())
    }

    fn read(stream: &[u8], chunk: usize) -> Result<Vec<Block>, BadCar> {
        let (mut reader, mut read) = (CarReader::default(), Vec::new());
        for chunk in stream.chunks(chunk) {
            reader.push(chunk);
            while let Some(block) = reader.next_block()? {
                read.push(block);
            }
        }
        reader.finish().map(|()| read)
    }

    #[test]
    fn a_stream_is_read_however_it_is_cut() {
        let stream = Car::of(&blocks()).part(0, u64::MAX).concat();
        for chunk in [7, 1000, stream.len()] {
            assert_eq!(read(&stream, chunk), Ok(blocks()));
        }
    }

    #[test]
    fn no_byte_of_a_block_may_differ_and_none_be_missing() {
        let stream = Car::of(&blocks()).part(0, u64::MAX).concat();
        let mut other = stream.clone();
        *other.last_mut().unwrap() ^= 1;
        assert_eq!(read(&other, 9999), Err(BadCar::OtherBytes));
        for length in [0, 1, 58, 200, stream.len() - 1] {
            assert!(matches!(read(&stream[..length], 9999), Err(BadCar::Malformed(_))), "{length}");
        }
    }

    #[test]
    fn other_streams_are_no_car() {
        for stream in [&b"<html>not found</html>"[..], &[0xff; 64], &[0x00; 64], br#"{"a":1}"#] {
            assert!(read(stream, 5).is_err(), "{stream:?}");
        }
        // The block of an id with another hash (sha2-512), and one that holds its bytes itself.
        let identity = [&[0x01, 0x01, 0x00, 0x05][..], &[0x01, 0x55, 0x00, 0x01, b'a']].concat();
        assert!(matches!(read(&Bytes::from(identity), 64), Err(BadCar::Unverifiable(_) | BadCar::Malformed(_))));
    }
}
