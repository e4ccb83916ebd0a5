//! A square to draw on, 512 units wide and high, y downwards.

use anyhow::Context as _;
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Shader, Stroke, Transform};

use super::palette::{fade, flat, glow, sheer};
use super::path::outline;

const SIDE: u32 = 512;
const MIDDLE: f32 = 256.0;

pub(super) struct Scene {
    pixmap: Pixmap,
    transform: Transform,
}

impl Scene {
    /// A background from one colour at the top to another at the bottom, lit from behind the subject.
    pub fn new(top: u32, bottom: u32, light: u32) -> Self {
        let pixmap = Pixmap::new(SIDE, SIDE).expect("a side above zero");
        let mut scene = Self { pixmap, transform: Transform::identity() };
        scene.fill("M 0 0 L 512 0 L 512 512 L 0 512 Z", fade((0.0, top), (512.0, bottom)));
        scene.disc(MIDDLE, 240.0, 250.0, glow((MIDDLE, 240.0, 250.0), light, 0.55));
        scene
    }

    pub fn fill(&mut self, path: &str, shader: Shader<'static>) {
        self.fill_path(&outline(path), shader);
    }

    pub fn line(&mut self, path: &str, width: f32, shader: Shader<'static>) {
        self.stroke_path(&outline(path), width, shader);
    }

    pub fn disc(&mut self, x: f32, y: f32, radius: f32, shader: Shader<'static>) {
        self.oval((x, y), (radius, radius), shader);
    }

    pub fn ring(&mut self, x: f32, y: f32, radius: f32, width: f32, shader: Shader<'static>) {
        self.oval_ring((x, y), (radius, radius), width, shader);
    }

    pub fn oval(&mut self, middle: (f32, f32), radii: (f32, f32), shader: Shader<'static>) {
        self.fill_path(&oval(middle, radii), shader);
    }

    pub fn oval_ring(&mut self, middle: (f32, f32), radii: (f32, f32), width: f32, shader: Shader<'static>) {
        self.stroke_path(&oval(middle, radii), width, shader);
    }

    /// Draws turned clockwise about a point.
    pub fn turned(&mut self, degrees: f32, (x, y): (f32, f32), draw: impl FnOnce(&mut Self)) {
        self.within(Transform::from_rotate_at(degrees, x, y), draw);
    }

    /// Draws once as it is and once as a mirror at the middle would show it.
    pub fn both_sides(&mut self, draw: impl Fn(&mut Self)) {
        draw(self);
        self.within(Transform::from_row(-1.0, 0.0, 0.0, 1.0, 2.0 * MIDDLE, 0.0), draw);
    }

    /// The frame of the card, with a gem for every level.
    pub fn framed(mut self, accent: u32, level: u8) -> Self {
        const INNER: &str = "M 40 14 L 472 14 Q 498 14 498 40 L 498 472 Q 498 498 472 498 L 40 498 Q 14 498 14 472 \
                             L 14 40 Q 14 14 40 14 Z";
        self.line("M 0 0 L 512 0 L 512 512 L 0 512 Z", 26.0, flat(0x0a_0a12));
        self.line(INNER, 8.0, flat(accent));
        self.line(INNER, 2.0, sheer(0xff_ffff, 0.55));
        let first = MIDDLE - 13.0 * f32::from(level - 1);
        for gem in 0..level {
            let x = first + 26.0 * f32::from(gem);
            self.turned(45.0, (x, 484.0), |scene| {
                let square = Rect::from_xywh(x - 8.0, 476.0, 16.0, 16.0).expect("a square");
                let square = PathBuilder::from_rect(square);
                scene.stroke_path(&square, 6.0, flat(0x0a_0a12));
                scene.fill_path(&square, flat(accent));
            });
            self.disc(x - 2.0, 481.0, 2.5, sheer(0xff_ffff, 0.8));
        }
        self
    }

    /// The picture as PNG.
    pub fn png(&self) -> anyhow::Result<Vec<u8>> {
        let opaque: Vec<u8> = self.pixmap.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&opaque, SIDE, SIDE, ExtendedColorType::Rgb8)
            .context("a drawing has a PNG form")?;
        Ok(png)
    }

    fn within(&mut self, transform: Transform, draw: impl FnOnce(&mut Self)) {
        let outer = self.transform;
        self.transform = outer.pre_concat(transform);
        draw(self);
        self.transform = outer;
    }

    fn fill_path(&mut self, path: &Path, shader: Shader<'static>) {
        self.pixmap.fill_path(path, &paint(shader), FillRule::Winding, self.transform, None);
    }

    fn stroke_path(&mut self, path: &Path, width: f32, shader: Shader<'static>) {
        let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixmap.stroke_path(path, &paint(shader), &stroke, self.transform, None);
    }
}

fn paint(shader: Shader<'static>) -> Paint<'static> {
    Paint { shader, anti_alias: true, ..Paint::default() }
}

fn oval((x, y): (f32, f32), (across, down): (f32, f32)) -> Path {
    let around = Rect::from_ltrb(x - across, y - down, x + across, y + down).expect("radii above zero");
    PathBuilder::from_oval(around).expect("an oval")
}
