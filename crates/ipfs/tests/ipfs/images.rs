//! Images that are taken, and those that are not.

use bytes::Bytes;
use futures::future::join_all;
use image::{DynamicImage, GenericImageView as _, ImageFormat};
use ipfs::{BLOCK, Compressor, Content, ImageError, ImageKind, ImageLimits};

use crate::pixels::{bomb, cutout, drawing, encoded, gif, noise, png, with_text};

async fn compress(bytes: Bytes) -> Result<Content, ImageError> {
    Compressor::new(ImageLimits::default()).compress(bytes).await
}

fn decoded(content: &Content) -> DynamicImage {
    image::load_from_memory(content.bytes()).unwrap()
}

#[tokio::test]
async fn the_same_image_has_the_same_cid_for_ever() {
    let mut changed = Vec::new();
    for (name, image, cid) in [
        ("drawing", png(&drawing(512, 512)), "bafkreid2tegx5m3zgazafujlwzamvdbzx27twbsukgictwsicim6cpeiru"),
        ("cutout", png(&cutout(300)), "bafkreiermlgqtusze2ixmicfx5dcunv2s2ggasicpt2nkjofbbsnfijbza"),
        ("noise", png(&noise(512, 512)), "bafkreic2sy5tnuvvt2zxtoxxs42b6ckyqdxzn72h2pr25wxunssn4weace"),
        ("scaled", png(&drawing(3000, 1500)), "bafkreig3myvfsztc23um4wiqebdvxihaarmyqowoed57zyxchysif6l4di"),
        (
            "jpeg",
            encoded(&drawing(400, 300), ImageFormat::Jpeg),
            "bafkreigyroqltsuj2rqvo7ex4vtxfe3n4dadr4lmabqp6swr34gahay7a4",
        ),
        (
            "webp",
            encoded(&cutout(200), ImageFormat::WebP),
            "bafkreiac3cgefgxpg3rnli4ipl2uwtpaqvlxzu5xkisdooxbhqztbqmsse",
        ),
        ("gif", gif(1), "bafkreibfc3grnb4xalshhlbvddpuycceczrwoh7prejcitskdbyoun23ee"),
    ] {
        let content = compress(image).await.unwrap();
        if content.cid().as_str() != cid {
            changed.push((name, content.cid().to_string()));
        }
    }
    assert_eq!(changed, []);
}

#[tokio::test]
async fn a_drawing_keeps_every_pixel() {
    for image in [drawing(512, 384), cutout(256)] {
        let content = compress(png(&image)).await.unwrap();
        assert_eq!(content.media_type(), "image/png");
        assert_eq!(decoded(&content).to_rgba8(), image.to_rgba8());
        assert!(content.bytes().len() < png(&image).len());
    }
}

#[tokio::test]
async fn a_photograph_gets_small_enough() {
    let image = noise(1600, 1200);
    let content = compress(encoded(&image, ImageFormat::Jpeg)).await.unwrap();
    assert_eq!(content.media_type(), "image/jpeg");
    assert!(content.bytes().len() <= BLOCK);
    let (width, height) = decoded(&content).dimensions();
    assert_eq!(width * 3, height * 4, "{width} by {height}");
}

#[tokio::test]
async fn transparency_survives_scaling() {
    let content = compress(png(&cutout(3000))).await.unwrap();
    let small = decoded(&content).to_rgba8();
    assert_eq!(small.dimensions(), (2048, 2048));
    assert_eq!(small.get_pixel(0, 0).0[3], 0);
    assert_eq!(small.get_pixel(1024, 1024).0, [30, 160, 90, 255]);
}

#[tokio::test]
async fn metadata_is_left_out() {
    let plain = png(&drawing(64, 64));
    let noted = with_text(&plain, "where I live");
    assert_ne!(noted, plain);
    let content = compress(noted).await.unwrap();
    assert_eq!(content, compress(plain).await.unwrap());
    assert!(!content.bytes().windows(5).any(|part| part == b"where"));
}

#[tokio::test]
async fn a_zip_bomb_is_refused_before_it_is_decoded() {
    // What was decoded would be broken: there is nothing in it.
    for (width, height) in [(50_000, 50_000), (8_000, 8_000), (1 << 30, 1 << 30), (u32::MAX >> 1, 1)] {
        let error = compress(bomb(width, height)).await.unwrap_err();
        assert_eq!(error.code(), "image-too-large", "{width} by {height}: {error}");
    }
    let error = compress(bomb(64, 64)).await.unwrap_err();
    assert_eq!(error.code(), "image-broken", "{error}");
    // A real one: 64 million pixels in some kilobytes.
    let real = png(&image::GrayImage::new(8000, 8000).into());
    let error = compress(real).await.unwrap_err();
    assert!(matches!(error, ImageError::TooManyPixels { width: 8000, decoded: 256_000_000, .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_image_is_refused_with_its_reason() {
    let whole = png(&drawing(64, 64));
    for (name, bytes, code) in [
        ("nothing", Bytes::new(), "not-an-image"),
        ("text", Bytes::from("hello"), "not-an-image"),
        ("svg", Bytes::from("<svg xmlns='http://www.w3.org/2000/svg'/>"), "not-an-image"),
        ("a signature alone", whole.slice(..8), "image-broken"),
        ("half of it", whole.slice(..whole.len() / 2), "image-broken"),
        ("jpeg signature and text", Bytes::from_static(b"\xff\xd8\xff hello"), "image-broken"),
        ("webp signature and text", Bytes::from_static(b"RIFF\x10\0\0\0WEBPhello there"), "image-broken"),
        ("gif signature and text", Bytes::from_static(b"GIF89a\x10\0\x10\0\0\0\0 and then"), "image-broken"),
        ("moving pictures", gif(2), "image-animated"),
    ] {
        let failure = compress(bytes).await.expect_err(name).failure();
        assert_eq!(failure.code, code, "{name}: {failure}");
        assert!(failure.is_permanent());
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_its_sizes() {
    let limits = ImageLimits { encoded_bytes: 1000, ..ImageLimits::default() };
    let error = Compressor::new(limits).compress(png(&noise(64, 64))).await.unwrap_err();
    assert!(matches!(error, ImageError::TooManyBytes { limit: 1000, .. }), "{error}");
    // Noise with holes: no JPEG can hold them, no PNG makes it smaller, and there is no smaller size to try.
    let mut image = noise(256, 256).to_rgba8();
    let holes = noise(256, 256).to_luma8();
    image.pixels_mut().zip(holes.pixels().rev()).for_each(|(pixel, hole)| pixel.0[3] = hole.0[0] | 1);
    let error = compress(png(&image.into())).await.unwrap_err();
    assert!(matches!(error, ImageError::Incompressible { smallest, .. } if smallest > BLOCK), "{error}");
}

#[tokio::test]
async fn many_at_once_share_little_memory_and_all_get_through() {
    let compressor = Compressor::new(ImageLimits { working_bytes: 100 * 1024, ..ImageLimits::default() });
    let images = (0..20).map(|n| compressor.compress(png(&drawing(100 + n, 100))));
    let contents = join_all(images).await;
    assert!(contents.iter().all(Result::is_ok));
}

#[test]
fn kinds_go_by_the_first_bytes() {
    assert_eq!(ImageKind::sniff(&png(&drawing(2, 2))), Some(ImageKind::Png));
    assert_eq!(ImageKind::sniff(&encoded(&drawing(2, 2), ImageFormat::Jpeg)), Some(ImageKind::Jpeg));
    assert_eq!(ImageKind::sniff(&encoded(&drawing(2, 2), ImageFormat::WebP)), Some(ImageKind::WebP));
    assert_eq!(ImageKind::sniff(&gif(1)), Some(ImageKind::Gif));
    assert_eq!(ImageKind::sniff(b"BM"), None);
}
