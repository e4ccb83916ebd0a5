//! From pixels to as many bytes as fit one block. Every step is fixed, so that the same image gives the same bytes for
//! ever: a change of anything here changes CIDs, and is a decision, not a detail (`tests/images.rs` pins some).

use image::codecs::jpeg::JpegEncoder;
use oxipng::{BitDepth, ColorType, Options, PngError, RawImage, StripChunks};

use super::picture::Picture;
use super::{ImageError, ImageKind};
use crate::{BLOCK, Content};

/// Longer sides that are tried, largest first.
const SIDES: [u32; 7] = [2048, 1536, 1024, 768, 512, 384, 256];
/// JPEG qualities that are tried, best first.
const QUALITIES: [u8; 2] = [90, 75];
/// More pixels are only tried as PNG where they came as a small one: drawings get small, photographs never.
const DRAWING_PIXELS: u64 = 1 << 20;
/// oxipng's presets that are tried.
const QUICK: u8 = 0;
const THOROUGH: u8 = 2;
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

/// A quick search is enough for most drawings, and takes a tenth of the thorough one's time.
fn png(picture: &Picture) -> Result<Option<Vec<u8>>, ImageError> {
    let (width, height) = picture.dimensions();
    let (pixels, colour_type) = match picture {
        Picture::Opaque(image) => (image.as_raw(), ColorType::RGB { transparent_color: None }),
        Picture::Transparent(image) => (image.as_raw(), ColorType::RGBA),
    };
    let image = RawImage::new(width, height, colour_type, BitDepth::Eight, pixels.clone()).map_err(broken)?;
    let quick = image.create_optimized_png(&options(QUICK)).map_err(broken)?;
    if quick.len() <= BLOCK {
        return Ok(Some(quick));
    }
    if quick.len() > HOPE * BLOCK {
        return Ok(None);
    }
    image.create_optimized_png(&options(THOROUGH)).map(Some).map_err(broken)
}

/// No time limit among them: the result must not depend on how busy the machine is.
fn options(preset: u8) -> Options {
    Options { strip: StripChunks::All, optimize_alpha: true, ..Options::from_preset(preset) }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn broken(error: PngError) -> ImageError {
    ImageError::Broken(error.to_string())
}
