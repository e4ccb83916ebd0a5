//! Level 4: a flask in which gold is made of an alpha.

use super::palette::{fade, flat, glow, sheer};
use super::scene::Scene;

const GOLD: u32 = 0xff_cf56;
const FLASK: &str =
    "M 216 120 L 216 214 L 118 398 C 102 432 116 452 150 452 L 362 452 C 396 452 410 432 394 398 L 296 214 L 296 120 Z";
const LIQUID: &str = "M 180 302 Q 218 282 256 300 Q 294 318 332 302 L 384 400 C 396 428 386 440 360 440 L 152 440 C 126 440 116 428 128 400 Z";
const ALPHA: &str =
    "M 316 344 C 296 398 268 416 244 416 C 216 416 204 398 204 380 C 204 360 218 342 244 342 C 274 342 288 398 322 412";

pub(super) fn draw() -> Scene {
    let mut scene = Scene::new(0x5c_1022, 0x16_0309, 0xd1_3a3a);
    circle(&mut scene);
    vapour(&mut scene);
    flask(&mut scene);
    scene.framed(GOLD, 4)
}

fn circle(scene: &mut Scene) {
    const MIDDLE: (f32, f32) = (256.0, 262.0);
    scene.ring(256.0, 262.0, 206.0, 4.0, sheer(GOLD, 0.75));
    scene.ring(256.0, 262.0, 182.0, 2.5, sheer(GOLD, 0.6));
    for tick in 0..48_u8 {
        let (inner, width) = if tick % 4 == 0 { (80.0, 3.5) } else { (72.0, 1.8) };
        scene.turned(7.5 * f32::from(tick), MIDDLE, |scene| {
            scene.line(&format!("M 256 58 L 256 {inner}"), width, sheer(GOLD, 0.6));
        });
    }
    for turn in [0.0, 180.0] {
        scene.turned(turn, MIDDLE, |scene| {
            scene.line("M 256 80 L 413.6 353 L 98.4 353 Z", 3.0, sheer(GOLD, 0.5));
        });
    }
    for point in 0..6_u8 {
        scene.turned(60.0 * f32::from(point), MIDDLE, |scene| {
            scene.disc(256.0, 80.0, 26.0, glow((256.0, 80.0, 26.0), GOLD, 0.7));
            scene.disc(256.0, 80.0, 13.0, flat(0x3a_0a15));
            scene.ring(256.0, 80.0, 13.0, 3.0, flat(GOLD));
            scene.disc(256.0, 80.0, 5.0, flat(GOLD));
        });
    }
}

fn vapour(scene: &mut Scene) {
    scene.disc(256.0, 100.0, 90.0, glow((256.0, 100.0, 90.0), 0xff_e9b0, 0.6));
    for (path, width) in [
        ("M 256 118 C 226 96 286 76 252 48", 13.0),
        ("M 236 116 C 206 98 226 78 206 62", 8.0),
        ("M 276 116 C 310 98 282 80 306 60", 8.0),
    ] {
        scene.line(path, width, sheer(0xff_e3c4, 0.5));
    }
    for (x, y, radius) in [
        (196.0, 92.0, 4.0),
        (318.0, 96.0, 5.0),
        (276.0, 40.0, 4.0),
        (230.0, 36.0, 3.0),
        (332.0, 66.0, 3.0),
        (180.0, 58.0, 3.0),
    ] {
        scene.disc(x, y, radius * 4.0, glow((x, y, radius * 4.0), GOLD, 0.8));
        scene.disc(x, y, radius, flat(0xff_f3cf));
    }
}

fn flask(scene: &mut Scene) {
    scene.oval((256.0, 458.0), (150.0, 14.0), sheer(0x00_0000, 0.5));
    scene.fill(FLASK, sheer(0x2a_0810, 0.72));
    scene.fill(FLASK, sheer(0xff_f1e0, 0.12));
    scene.disc(256.0, 372.0, 190.0, glow((256.0, 372.0, 190.0), 0xff_9d2e, 0.5));
    scene.fill(LIQUID, fade((292.0, 0xff_e68a), (440.0, 0xd9_5b12)));
    scene.line("M 182 301 Q 218 283 256 300 Q 294 317 331 302", 5.0, flat(0xff_f6cf));
    for (x, y, radius) in [
        (170.0, 420.0, 8.0),
        (344.0, 424.0, 10.0),
        (364.0, 396.0, 6.0),
        (160.0, 388.0, 6.0),
        (188.0, 350.0, 5.0),
        (300.0, 328.0, 4.0),
        (228.0, 318.0, 5.0),
    ] {
        scene.disc(x, y, radius, sheer(0xff_ffff, 0.25));
        scene.ring(x, y, radius, 2.0, sheer(0xff_ffff, 0.8));
    }
    scene.line(ALPHA, 26.0, sheer(0x8f_2a06, 0.55));
    scene.line(ALPHA, 17.0, flat(0xff_fdf2));
    scene.line(FLASK, 8.0, sheer(0xff_f7ec, 0.85));
    scene.line("M 204 118 L 308 118", 16.0, flat(0xff_f1dd));
    scene.line("M 206 121 L 306 121", 4.0, flat(0xd9_b48c));
    scene.line("M 230 138 L 230 216 L 142 388", 7.0, sheer(0xff_ffff, 0.5));
    scene.line("M 236 160 L 276 160 M 236 182 L 262 182", 4.0, sheer(0xff_ffff, 0.4));
}
