//! Level 2: an ape in a suit who reads charts.

use super::palette::{ball, fade, flat, glow, sheer};
use super::scene::Scene;

const GREEN: u32 = 0x3d_f59a;
const RED: u32 = 0xff_4f79;
const GOLD: u32 = 0xf2_c14e;

pub(super) fn draw() -> Scene {
    let mut scene = Scene::new(0x3a_1766, 0x0d_0524, 0x7a_3fd1);
    candles(&mut scene);
    suit(&mut scene);
    ears(&mut scene);
    head(&mut scene);
    glasses(&mut scene);
    scene.framed(GOLD, 2)
}

fn candles(scene: &mut Scene) {
    let closes = [300.0, 262.0, 282.0, 232.0, 196.0, 216.0, 160.0, 178.0, 128.0, 84.0, 104.0, 60.0_f32];
    let mut open = 330.0_f32;
    for (x, close) in (42..).step_by(39).zip(closes) {
        let (x, colour) =
            (f32::from(i16::try_from(x).expect("within the card")), if close < open { GREEN } else { RED });
        let (high, low) = (close.min(open) - 20.0, close.max(open) + 18.0);
        scene.line(&format!("M {x} {high} L {x} {low}"), 3.0, sheer(colour, 0.55));
        scene.line(&format!("M {x} {open} L {x} {close}"), 17.0, sheer(colour, 0.6));
        open = close;
    }
    scene.line("M 30 340 C 140 300 180 250 256 200 C 330 150 400 110 486 52", 4.0, sheer(0xff_ffff, 0.35));
}

fn suit(scene: &mut Scene) {
    scene.fill(
        "M 256 366 C 360 372 446 410 466 512 L 46 512 C 66 410 152 372 256 366 Z",
        fade((370.0, 0x2a_3b6e), (512.0, 0x10_183a)),
    );
    scene.fill("M 204 372 L 308 372 L 272 512 L 240 512 Z", flat(0xf4_f1ff));
    scene.both_sides(|scene| {
        scene.fill("M 204 366 L 176 388 L 236 512 L 250 512 Z", fade((366.0, 0x3c_5090), (512.0, 0x1a_2550)));
        scene.fill("M 206 364 L 256 398 L 222 420 Z", flat(0xff_ffff));
    });
    scene.fill(
        "M 240 396 L 272 396 L 266 420 L 282 500 L 256 512 L 230 500 L 246 420 Z",
        fade((396.0, GREEN), (512.0, 0x0d_8f55)),
    );
    scene.line("M 244 420 L 268 420", 4.0, sheer(0x06_3d24, 0.6));
}

fn ears(scene: &mut Scene) {
    scene.both_sides(|scene| {
        scene.disc(126.0, 232.0, 46.0, ball((116.0, 220.0, 60.0), 0x8a_5a3a, 0x4a_2a18));
        scene.disc(124.0, 234.0, 27.0, ball((120.0, 228.0, 34.0), 0xf0_bd92, 0xc2_845c));
    });
}

fn head(scene: &mut Scene) {
    const FUR: &str = "M 256 84 C 342 80 394 140 392 226 C 390 330 334 394 256 396 C 178 394 122 330 120 226 C 118 140 170 80 256 84 Z";
    const FACE: &str = "M 256 176 C 282 142 344 148 352 204 C 356 238 340 252 344 284 C 350 346 306 380 256 380 C 206 380 162 346 168 284 \
                        C 172 252 156 238 160 204 C 168 148 230 142 256 176 Z";
    scene.fill(FUR, ball((236.0, 160.0, 250.0), 0x8f_5e3c, 0x3c_2012));
    scene.fill(
        "M 232 92 C 228 62 246 48 262 56 C 252 64 256 74 276 66 C 272 80 284 84 296 80 C 288 96 270 102 256 102 Z",
        flat(0x6b_422a),
    );
    scene.fill(FACE, fade((150.0, 0xf5_c79c), (380.0, 0xd0_8f66)));
    scene.oval((256.0, 318.0), (82.0, 52.0), ball((240.0, 300.0, 100.0), 0xff_dcb8, 0xdf_a478));
    scene.both_sides(|scene| {
        scene.turned(20.0, (240.0, 284.0), |scene| scene.oval((240.0, 284.0), (7.0, 10.0), flat(0x5a_2e1a)));
        scene.line("M 176 178 Q 206 158 240 174", 9.0, sheer(0x4a_2a18, 0.85));
    });
    scene.line("M 198 322 Q 256 364 314 316", 7.0, flat(0x6b_3620));
    scene.line("M 314 316 Q 322 310 322 302", 6.0, flat(0x6b_3620));
    scene.line("M 236 350 Q 256 356 276 350", 5.0, sheer(0x9a_5c3c, 0.7));
}

fn glasses(scene: &mut Scene) {
    scene.both_sides(|scene| {
        scene.disc(204.0, 222.0, 48.0, glow((204.0, 222.0, 60.0), GREEN, 0.5));
        scene.disc(204.0, 222.0, 43.0, fade((180.0, 0x14_3a35), (266.0, 0x06_1a1c)));
    });
    scene.line("M 170 240 L 186 226 L 198 234 L 214 208 L 226 216 L 238 200", 5.0, flat(GREEN));
    scene.line("M 276 244 L 290 230 L 304 238 L 318 212 L 328 218 L 340 202", 5.0, flat(GREEN));
    scene.both_sides(|scene| {
        scene.ring(204.0, 222.0, 44.0, 9.0, fade((176.0, 0xff_e9a0), (268.0, 0xb8_861e)));
        scene.line("M 160 218 L 126 206", 8.0, flat(0xb8_861e));
    });
    scene.line("M 178 200 Q 188 188 204 186", 4.0, sheer(0xff_ffff, 0.75));
    scene.line("M 282 200 Q 292 188 308 186", 4.0, sheer(0xff_ffff, 0.75));
    scene.line("M 247 216 Q 256 206 265 216", 8.0, flat(GOLD));
}
