//! Images to feed in.

use bytes::Bytes;
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use std::io::Cursor;

/// A drawing: large even areas.
pub fn drawing(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| {
        let tile = (x / 32 + y / 32) % 3;
        Rgb([[220, 40, 60], [20, 90, 160], [250, 220, 120]][tile as usize])
    })
    .into()
}

/// A photograph, as far as compression can tell: no two pixels alike, the same every time.
pub fn noise(width: u32, height: u32) -> DynamicImage {
    let mut state = 0x9e37_79b9_u32;
    RgbImage::from_fn(width, height, |_, _| {
        Rgb([(); 3].map(|()| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[2]
        }))
    })
    .into()
}

/// A round shape on nothing.
pub fn cutout(side: u32) -> DynamicImage {
    let middle = i64::from(side / 2);
    RgbaImage::from_fn(side, side, |x, y| {
        let (dx, dy) = (i64::from(x) - middle, i64::from(y) - middle);
        let inside = dx * dx + dy * dy < middle * middle;
        if inside { Rgba([30, 160, 90, 255]) } else { Rgba([0, 0, 0, 0]) }
    })
    .into()
}

pub fn encoded(image: &DynamicImage, format: ImageFormat) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner().into()
}

pub fn png(image: &DynamicImage) -> Bytes {
    encoded(image, ImageFormat::Png)
}

/// A GIF of so many pictures.
pub fn gif(pictures: u8) -> Bytes {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for picture in 0..pictures {
        let image = RgbaImage::from_pixel(16, 16, Rgba([picture * 80, 10, 10, 255]));
        encoder.encode_frame(Frame::new(image)).unwrap();
    }
    drop(encoder);
    bytes.into()
}

/// A PNG that announces these sides and holds next to nothing.
pub fn bomb(width: u32, height: u32) -> Bytes {
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(*b"IHDR", &header));
    png.extend(chunk(*b"IDAT", &[0x78, 0x9c, 0xed, 0xc1]));
    png.extend(chunk(*b"IEND", &[]));
    png.into()
}

/// The same PNG with a chunk of text behind its header.
pub fn with_text(png: &Bytes, text: &str) -> Bytes {
    let (header, rest) = png.split_at(8 + 25);
    [header, &chunk(*b"tEXt", format!("Comment\0{text}").as_bytes()), rest].concat().into()
}

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut body = kind.to_vec();
    body.extend(data);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], &body, &crc(&body).to_be_bytes()].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
