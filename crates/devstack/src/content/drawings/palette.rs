//! What shapes are filled with.

use tiny_skia::{Color, GradientStop, LinearGradient, Point, RadialGradient, Shader, SpreadMode, Transform};

/// A colour as `0xRRGGBB`.
pub(super) fn flat(rgb: u32) -> Shader<'static> {
    Shader::SolidColor(colour(rgb, 1.0))
}

/// A colour that lets through what is behind it; `alpha` from 0 to 1.
pub(super) fn sheer(rgb: u32, alpha: f32) -> Shader<'static> {
    Shader::SolidColor(colour(rgb, alpha))
}

/// From one colour at height `from.0` to another at height `to.0`.
pub(super) fn fade(from: (f32, u32), to: (f32, u32)) -> Shader<'static> {
    let stops = vec![GradientStop::new(0.0, colour(from.1, 1.0)), GradientStop::new(1.0, colour(to.1, 1.0))];
    let (top, bottom) = (Point::from_xy(0.0, from.0), Point::from_xy(0.0, to.0));
    LinearGradient::new(top, bottom, stops, SpreadMode::Pad, Transform::identity()).expect("two different heights")
}

/// From a colour at the middle to another at the rim.
pub(super) fn ball((x, y, radius): (f32, f32, f32), inner: u32, outer: u32) -> Shader<'static> {
    radial(x, y, radius, vec![(0.0, colour(inner, 1.0)), (1.0, colour(outer, 1.0))])
}

/// Light of a colour that is gone at the rim.
pub(super) fn glow((x, y, radius): (f32, f32, f32), rgb: u32, strength: f32) -> Shader<'static> {
    let at = |share: f32| colour(rgb, strength * share);
    radial(x, y, radius, vec![(0.0, at(1.0)), (0.35, at(0.45)), (0.7, at(0.1)), (1.0, at(0.0))])
}

fn radial(x: f32, y: f32, radius: f32, stops: Vec<(f32, Color)>) -> Shader<'static> {
    let middle = Point::from_xy(x, y);
    let stops = stops.into_iter().map(|(at, colour)| GradientStop::new(at, colour)).collect();
    RadialGradient::new(middle, 0.0, middle, radius, stops, SpreadMode::Pad, Transform::identity())
        .expect("a radius above zero")
}

fn colour(rgb: u32, alpha: f32) -> Color {
    let [_, red, green, blue] = rgb.to_be_bytes();
    let mut colour = Color::from_rgba8(red, green, blue, 255);
    colour.set_alpha(alpha);
    colour
}
