//! From bytes to pixels, after a look at what the header promises.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{AnimationDecoder as _, DynamicImage, ImageDecoder, ImageReader, ImageResult, Limits};

use super::{ImageError, ImageKind, ImageLimits};

/// A picture has four bytes a pixel once it is in hand, whatever the file has.
const BYTES_PER_PIXEL: u64 = 4;

impl From<image::ImageError> for ImageError {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::Limits(_) => Self::TooDemanding(error.to_string()),
            image::ImageError::Decoding(_)
            | image::ImageError::Encoding(_)
            | image::ImageError::Parameter(_)
            | image::ImageError::Unsupported(_)
            | image::ImageError::IoError(_) => Self::Broken(error.to_string()),
        }
    }
}

/// What the header says: nothing is decoded for it.
pub(super) fn decoded_bytes(bytes: &Bytes, kind: ImageKind, limits: &ImageLimits) -> Result<u64, ImageError> {
    let header = reader(bytes, kind, limits).into_decoder()?;
    let (width, height) = header.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let decoded = header.total_bytes().max(pixels.saturating_mul(BYTES_PER_PIXEL));
    if width.max(height) > limits.side || decoded > limits.decoded_bytes {
        let (side, limit) = (limits.side, limits.decoded_bytes);
        return Err(ImageError::TooManyPixels { width, height, decoded, side, limit });
    }
    Ok(decoded)
}

/// Decodes a still, turned as its metadata has it.
pub(super) fn decode(bytes: &Bytes, kind: ImageKind, limits: &ImageLimits) -> Result<DynamicImage, ImageError> {
    if is_animated(bytes, kind, limits)? {
        return Err(ImageError::Animated);
    }
    let mut decoder = reader(bytes, kind, limits).into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn is_animated(bytes: &Bytes, kind: ImageKind, limits: &ImageLimits) -> ImageResult<bool> {
    match kind {
        ImageKind::Png => PngDecoder::with_limits(Cursor::new(bytes), bounds(limits))?.is_apng(),
        ImageKind::WebP => Ok(WebPDecoder::new(Cursor::new(bytes))?.has_animation()),
        ImageKind::Gif => {
            let mut decoder = GifDecoder::new(Cursor::new(bytes))?;
            decoder.set_limits(bounds(limits))?;
            let second = decoder.into_frames().nth(1);
            Ok(second.is_some_and(|frame| frame.is_ok()))
        }
        ImageKind::Jpeg => Ok(false),
    }
}

fn reader<'a>(bytes: &'a Bytes, kind: ImageKind, limits: &ImageLimits) -> ImageReader<Cursor<&'a Bytes>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind.format());
    reader.limits(bounds(limits));
    reader
}

/// The sides are left to [`decoded_bytes`], whose error says more.
fn bounds(limits: &ImageLimits) -> Limits {
    let mut bounds = Limits::default();
    bounds.max_alloc = Some(limits.decoded_bytes.saturating_mul(2));
    bounds
}
