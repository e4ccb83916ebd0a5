//! From pixels to as many bytes as fit one block. Every step is fixed, so that the same image gives the same bytes for
//! ever: a change of anything here changes CIDs, and is a decision, not a detail (`tests/images.rs` pins some).

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use oxipng::{BitDepth, ColorType, Options, RawImage, StripChunks};

use super::picture::Picture;
use super::{ImageError, ImageKind};
use crate::{BLOCK, Content};

/// Longer sides that are tried, largest first.
const SIDES: [u32; 7] = [2048, 1536, 1024, 768, 512, 384, 256];
/// JPEG qualities that are tried, best first.
const QUALITIES: [u8; 2] = [90, 75];
/// More pixels are only tried as PNG where they came as a small one: drawings get small, photographs never.
const DRAWING_PIXELS: u64 = 1 << 20;
/// A quick PNG this many times too large will not fit after a thorough search either.
const HOPE: usize = 3;

/// What the picture came as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub kind: ImageKind,
    pub bytes: usize,
}

/// The best form of the picture that fits one block, without any metadata.
pub(super) fn encode(picture: &Picture, origin: Origin) -> Result<Content, ImageError> {
    let (width, height) = picture.dimensions();
    let first = width.max(height).min(SIDES[0]);
    let mut smallest = usize::MAX;
    for side in std::iter::once(first).chain(SIDES.into_iter().filter(|side| *side < first)) {
        let scaled = picture.within(side);
        for form in forms(&scaled, origin) {
            let bytes = form.encode(&scaled)?;
            if let Some(bytes) = bytes {
                smallest = smallest.min(bytes.len());
                if bytes.len() <= BLOCK {
                    return Ok(Content::new(bytes, form.media_type()));
                }
            }
        }
    }
    Err(ImageError::Incompressible { bytes: origin.bytes, smallest })
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Png,
    Jpeg(u8),
}

fn forms(picture: &Picture, origin: Origin) -> impl Iterator<Item = Form> {
    let (width, height) = picture.dimensions();
    let drawing = u64::from(width) * u64::from(height) <= DRAWING_PIXELS
        || (origin.kind == ImageKind::Png && origin.bytes <= HOPE * BLOCK);
    let (png, jpeg) = match picture {
        // What was photographed, or cut down to look like it, gains nothing by being kept exactly.
        Picture::Opaque(_) => (drawing && origin.kind != ImageKind::Jpeg, true),
        Picture::Transparent(_) => (true, false),
    };
    let jpegs = QUALITIES.into_iter().filter(move |_| jpeg).map(Form::Jpeg);
    png.then_some(Form::Png).into_iter().chain(jpegs)
}

impl Form {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg(_) => "image/jpeg",
        }
    }

    /// None where the form is not worth the search.
    fn encode(self, picture: &Picture) -> Result<Option<Vec<u8>>, ImageError> {
        match (self, picture) {
            (Self::Png, _) => png(picture),
            (Self::Jpeg(quality), Picture::Opaque(image)) => {
                let mut bytes = Vec::new();
                JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image)?;
                Ok(Some(bytes))
            }
            (Self::Jpeg(_), Picture::Transparent(_)) => Ok(None),
        }
    }
}

fn png(picture: &Picture) -> Result<Option<Vec<u8>>, ImageError> {
    let (width, height) = picture.dimensions();
    let (pixels, quick_type, colour_type) = match picture {
        Picture::Opaque(image) => (image.as_raw(), ExtendedColorType::Rgb8, ColorType::RGB { transparent_color: None }),
        Picture::Transparent(image) => (image.as_raw(), ExtendedColorType::Rgba8, ColorType::RGBA),
    };
    let mut quick = Vec::new();
    PngEncoder::new_with_quality(&mut quick, CompressionType::Fast, FilterType::Adaptive)
        .write_image(pixels, width, height, quick_type)?;
    if quick.len() > HOPE * BLOCK {
        return Ok(None);
    }
    // No time limit among the options: the result must not depend on how busy the machine is.
    let options = Options { strip: StripChunks::All, optimize_alpha: true, ..Options::from_preset(2) };
    let image = RawImage::new(width, height, colour_type, BitDepth::Eight, pixels.clone());
    let thorough = image.and_then(|image| image.create_optimized_png(&options));
    thorough.map(Some).map_err(|error| ImageError::Broken(error.to_string()))
}
