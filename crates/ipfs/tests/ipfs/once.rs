//! One image for a thousand operations.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::get;
use domain::ImageSource;
use futures::future::join_all;
use ipfs::{Compressor, FetchOptions, Gateways, ImageFetcher, ImageLimits, Images, PrepareError};
use url::Url;

use crate::pixels::{drawing, png};
use crate::server::{refusing, serve};

fn images(options: &FetchOptions, gateway: Url) -> Images {
    let fetcher = ImageFetcher::new(options, Gateways::new(&[gateway]).unwrap()).unwrap();
    Images::new(fetcher, Compressor::new(ImageLimits::default()), 1 << 20)
}

/// Gives that answer after a moment, and counts how often.
async fn counting(answer: Vec<u8>) -> (Url, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let give = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer.clone()
        }
    };
    (serve(Router::new().fallback(get(give))).await, asked)
}

#[tokio::test]
async fn a_web_image_is_fetched_once_by_all_who_want_it_at_the_same_time() {
    let (at, asked) = counting(png(&drawing(64, 64)).to_vec()).await;
    let images = images(&FetchOptions { allow_private: true, ..FetchOptions::default() }, refusing().await);
    let source = ImageSource::Web(at);
    let contents = join_all((0..1000).map(|_| images.content(&source))).await;
    assert!(contents.windows(2).all(|pair| pair[0].is_ok() && pair[0] == pair[1]));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // It may have changed since.
    images.content(&source).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn content_of_ipfs_is_fetched_once_for_ever() {
    let image = png(&drawing(64, 64));
    let cid = ipfs::ContentId::of(&image).to_string();
    let (at, asked) = counting(image.to_vec()).await;
    let images = images(&FetchOptions::default(), at);
    let source = ImageSource::Ipfs { cid, path: String::new() };
    for _ in 0..3 {
        images.content(&source).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_changed_asset_is_noticed_and_a_failure_is_not_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    let options = FetchOptions { assets: Some(dir.path().into()), ..FetchOptions::default() };
    let (images, source) = (images(&options, refusing().await), ImageSource::Asset("a.png".into()));
    let write = |bytes: &[u8], second| {
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
    };
    assert!(matches!(images.content(&source).await, Err(PrepareError::Source(_))));
    write(b"no image", 1);
    assert!(matches!(images.content(&source).await, Err(PrepareError::Image(_))));
    write(&png(&drawing(64, 64)), 2);
    let first = images.content(&source).await.unwrap();
    assert_eq!(images.content(&source).await, Ok(first.clone()));
    write(&png(&drawing(32, 64)), 3);
    assert_ne!(images.content(&source).await.unwrap().cid(), first.cid());
}
