//! The five images of the demo, drawn by code so that the repository holds no binary file. The same code draws the same
//! bytes every time.

mod alpha_alchemist;
mod on_chain_hunter;
mod palette;
mod path;
mod quant_ape;
mod quantum_alchemist;
mod scene;
mod tech_chicken;

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use scene::Scene;

/// File names, in the order of the levels they stand for: the first is level 1.
pub const DRAWINGS: [&str; 5] =
    ["tech-chicken.png", "quant-ape.png", "on-chain-hunter.png", "alpha-alchemist.png", "quantum-alchemist.png"];

/// Draws all five as PNG files of 512 by 512 pixels into `dir`, which is created where it is missing. Whoever reads one
/// that was there before sees the whole of it.
///
/// # Errors
/// Where the directory cannot be written.
pub fn draw_all(dir: &Path) -> anyhow::Result<()> {
    const DRAW: [fn() -> Scene; 5] =
        [tech_chicken::draw, quant_ape::draw, on_chain_hunter::draw, alpha_alchemist::draw, quantum_alchemist::draw];
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    for (name, draw) in DRAWINGS.into_iter().zip(DRAW) {
        let path = dir.join(name);
        let unfinished = path.with_extension("part");
        fs::write(&unfinished, draw().png()?)
            .and_then(|()| fs::rename(&unfinished, &path))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_different_images_the_same_every_time() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        draw_all(first.path()).unwrap();
        draw_all(second.path()).unwrap();
        let read = |dir: &Path| DRAWINGS.map(|name| fs::read(dir.join(name)).unwrap());
        let images = read(first.path());
        assert_eq!(images, read(second.path()));
        for (at, image) in images.iter().enumerate() {
            let decoded = image::load_from_memory(image).unwrap();
            assert_eq!((decoded.width(), decoded.height()), (512, 512));
            assert!(images[..at].iter().all(|other| other != image));
        }
    }
}
