//! Outlines as text: `M x y`, `L x y`, `Q x1 y1 x y`, `C x1 y1 x2 y2 x y` and `Z`, all absolute, as in SVG.

use tiny_skia::{Path, PathBuilder};

/// The outline that `text` describes.
///
/// # Panics
/// When it describes none: outlines are constants of ours.
pub(super) fn outline(text: &str) -> Path {
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let mut builder = PathBuilder::new();
    while let Some(command) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse().ok()).expect("a number after the command");
        match command {
            "M" => builder.move_to(number(), number()),
            "L" => builder.line_to(number(), number()),
            "Q" => builder.quad_to(number(), number(), number(), number()),
            "C" => builder.cubic_to(number(), number(), number(), number(), number(), number()),
            "Z" => builder.close(),
            other => panic!("unknown command {other:?}"),
        }
    }
    builder.finish().expect("an outline with a line in it")
}
