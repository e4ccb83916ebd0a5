//! Pixels in hand: eight bits a channel, with transparency only where some pixel has it.

use image::imageops::{FilterType, resize};
use image::{DynamicImage, RgbImage, RgbaImage};

#[derive(Debug, Clone)]
pub(super) enum Picture {
    Opaque(RgbImage),
    Transparent(RgbaImage),
}

impl Picture {
    pub fn of(image: DynamicImage) -> Self {
        if !image.color().has_alpha() {
            return Self::Opaque(image.into_rgb8());
        }
        let image = image.into_rgba8();
        if image.pixels().all(|pixel| pixel.0[3] == u8::MAX) {
            Self::Opaque(DynamicImage::ImageRgba8(image).into_rgb8())
        } else {
            Self::Transparent(image)
        }
    }

    pub fn dimensions(&self) -> (u32, u32) {
        match self {
            Self::Opaque(image) => image.dimensions(),
            Self::Transparent(image) => image.dimensions(),
        }
    }

    /// The picture with a longer side of at most `side` pixels.
    pub fn within(&self, side: u32) -> Self {
        // The one filter among the good ones that needs no sine, which machines compute differently in the last place.
        const FILTER: FilterType = FilterType::CatmullRom;
        let (width, height) = self.dimensions();
        let longer = width.max(height);
        if longer <= side {
            return self.clone();
        }
        let scaled = |length: u32| {
            let exact = u64::from(length) * u64::from(side) / u64::from(longer);
            u32::try_from(exact).map_or(side, |length| length.max(1))
        };
        let (width, height) = (scaled(width), scaled(height));
        match self {
            Self::Opaque(image) => Self::Opaque(resize(image, width, height, FILTER)),
            Self::Transparent(image) => {
                let mut image = image.clone();
                image.pixels_mut().for_each(|pixel| pixel.0 = weighted(pixel.0));
                let mut image = resize(&image, width, height, FILTER);
                image.pixels_mut().for_each(|pixel| pixel.0 = unweighted(pixel.0));
                Self::Transparent(image)
            }
        }
    }
}

/// Colours weighted by their alpha, so that what cannot be seen does not bleed into what can.
fn weighted([red, green, blue, alpha]: [u8; 4]) -> [u8; 4] {
    let weigh = |colour: u8| narrow((u16::from(colour) * u16::from(alpha) + 127) / 255);
    [weigh(red), weigh(green), weigh(blue), alpha]
}

fn unweighted([red, green, blue, alpha]: [u8; 4]) -> [u8; 4] {
    if alpha == 0 {
        return [0; 4];
    }
    let restore = |colour: u8| narrow((u16::from(colour) * 255 + u16::from(alpha) / 2) / u16::from(alpha));
    [restore(red), restore(green), restore(blue), alpha]
}

fn narrow(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, Rgba};

    use super::*;

    #[test]
    fn transparency_is_kept_only_where_there_is_some() {
        let solid = RgbaImage::from_pixel(2, 2, Rgba([1, 2, 3, 255]));
        assert!(
            matches!(Picture::of(solid.into()), Picture::Opaque(image) if image.get_pixel(0, 0) == &Rgb([1, 2, 3]))
        );
        let sheer = RgbaImage::from_pixel(2, 2, Rgba([1, 2, 3, 254]));
        assert!(matches!(Picture::of(sheer.into()), Picture::Transparent(_)));
    }

    #[test]
    fn shapes_are_kept_and_no_side_vanishes() {
        let strip = Picture::Opaque(RgbImage::new(4000, 2));
        assert_eq!(strip.within(1024).dimensions(), (1024, 1));
        assert_eq!(strip.within(4000).dimensions(), (4000, 2));
    }

    #[test]
    fn what_cannot_be_seen_does_not_bleed() {
        let mut image = RgbaImage::from_pixel(64, 64, Rgba([0, 255, 0, 0]));
        (0..64).for_each(|y| (0..33).for_each(|x| image.put_pixel(x, y, Rgba([255, 0, 0, 255]))));
        let Picture::Transparent(small) = Picture::Transparent(image).within(16) else { panic!("transparent") };
        assert!(small.pixels().all(|pixel| pixel.0[1] < 8), "green shows");
    }
}
