//! Level 5: a magus who holds an atom between his hands.

use super::palette::{ball, fade, flat, glow, sheer};
use super::scene::Scene;

const CYAN: u32 = 0x5c_e8ff;
const PINK: u32 = 0xff_6fe0;
const GOLD: u32 = 0xff_dc7a;
const ORB: (f32, f32) = (256.0, 388.0);

pub(super) fn draw() -> Scene {
    let mut scene = Scene::new(0x1d_1160, 0x05_0318, 0x6a_3ff0);
    stars(&mut scene);
    robe(&mut scene);
    face(&mut scene);
    hat(&mut scene);
    atom(&mut scene);
    hands(&mut scene);
    scene.framed(PINK, 5)
}

fn stars(scene: &mut Scene) {
    for (x, y, size) in [
        (60.0, 70.0, 3.0),
        (112.0, 132.0, 2.0),
        (70.0, 214.0, 2.5),
        (140.0, 60.0, 2.0),
        (446.0, 62.0, 3.0),
        (396.0, 120.0, 2.0),
        (462.0, 168.0, 2.5),
        (372.0, 56.0, 2.0),
        (48.0, 304.0, 2.0),
        (466.0, 282.0, 2.5),
        (100.0, 350.0, 2.0),
        (424.0, 356.0, 2.0),
    ] {
        scene.disc(x, y, size * 6.0, glow((x, y, size * 6.0), 0xc9_b8ff, 0.8));
        scene.disc(x, y, size, flat(0xff_ffff));
    }
    for (tilt, colour) in [(-24.0, CYAN), (24.0, PINK)] {
        scene.turned(tilt, (256.0, 210.0), |scene| {
            scene.oval_ring((256.0, 210.0), (218.0, 76.0), 2.5, sheer(colour, 0.45));
            scene.disc(38.0, 210.0, 22.0, glow((38.0, 210.0, 22.0), colour, 0.9));
            scene.disc(38.0, 210.0, 6.0, flat(0xff_ffff));
        });
    }
}

fn robe(scene: &mut Scene) {
    scene.fill(
        "M 256 250 C 342 262 424 340 452 512 L 60 512 C 88 340 170 262 256 250 Z",
        fade((260.0, 0x5a_35d6), (512.0, 0x1e_0f5c)),
    );
    scene.both_sides(|scene| {
        scene.fill("M 60 512 C 80 398 118 324 176 282 C 168 360 148 440 150 512 Z", sheer(0x0a_0530, 0.4));
        scene.line("M 190 284 C 176 360 168 440 172 512", 5.0, flat(GOLD));
    });
}

fn face(scene: &mut Scene) {
    scene.oval((256.0, 224.0), (64.0, 62.0), ball((246.0, 210.0, 80.0), 0xf2_c8a8, 0xa8_6f66));
    scene.both_sides(|scene| {
        scene.disc(230.0, 216.0, 26.0, glow((230.0, 216.0, 26.0), CYAN, 0.9));
        scene.oval((231.0, 217.0), (10.0, 7.0), flat(0xe9_fdff));
        scene.disc(231.0, 217.0, 4.0, flat(0x1a_6fd1));
        scene.line("M 212 202 Q 230 192 248 206", 8.0, flat(0xf4_f1ff));
    });
    let beard = "M 192 226 C 186 300 214 336 256 352 C 298 336 326 300 320 226 C 312 262 290 256 274 252 Q 256 244 238 252 C 222 256 200 262 192 226 Z";
    scene.fill(beard, fade((230.0, 0xff_ffff), (352.0, 0xa9_a0e6)));
    for strand in ["M 226 268 C 224 296 234 318 246 334", "M 256 272 L 256 338", "M 286 268 C 288 296 278 318 266 334"]
    {
        scene.line(strand, 3.0, sheer(0x6f_63b8, 0.5));
    }
    scene.both_sides(|scene| {
        scene.fill("M 256 248 C 240 240 214 246 204 268 C 226 270 246 266 256 256 Z", flat(0xff_ffff));
    });
    scene.oval((256.0, 238.0), (13.0, 15.0), ball((252.0, 232.0, 20.0), 0xf7_cdb0, 0xc2_8272));
}

fn hat(scene: &mut Scene) {
    const CONE: &str =
        "M 176 186 C 206 150 226 90 246 52 C 262 26 300 30 318 56 C 298 50 286 62 292 84 C 300 124 316 158 336 186 Z";
    scene.fill(CONE, fade((40.0, 0x8a_5cff), (186.0, 0x3a_1fa8)));
    scene.line("M 252 56 C 236 92 222 140 202 172", 5.0, sheer(0xff_ffff, 0.3));
    scene.fill("M 190 168 Q 256 144 322 168 L 332 186 L 180 186 Z", fade((150.0, GOLD), (186.0, 0xc9_8a1e)));
    scene.oval((256.0, 186.0), (132.0, 22.0), fade((164.0, 0x6a_3ff0), (208.0, 0x2a_147c)));
    scene.line("M 126 184 Q 256 222 386 184", 4.0, sheer(0xd9_c9ff, 0.6));
    for (x, y, size) in [(254.0, 118.0, 15.0), (286.0, 140.0, 8.0), (228.0, 146.0, 7.0)] {
        star(scene, x, y, size);
    }
    star(scene, 320.0, 62.0, 13.0);
}

fn star(scene: &mut Scene, x: f32, y: f32, size: f32) {
    let waist = size * 0.22;
    let points = format!(
        "M {x} {} Q {x} {y} {} {y} Q {x} {y} {x} {} Q {x} {y} {} {y} Q {x} {y} {x} {} Z",
        y - size - waist,
        x + size + waist,
        y + size + waist,
        x - size - waist,
        y - size - waist
    );
    scene.disc(x, y, size * 1.8, glow((x, y, size * 1.8), GOLD, 0.7));
    scene.fill(&points, flat(0xff_f4d0));
}

fn atom(scene: &mut Scene) {
    let (x, y) = ORB;
    scene.disc(x, y, 150.0, glow((x, y, 150.0), CYAN, 0.75));
    for (tilt, colour) in [(0.0, CYAN), (60.0, PINK), (120.0, GOLD)] {
        scene.turned(tilt, ORB, |scene| {
            scene.oval_ring(ORB, (92.0, 30.0), 9.0, sheer(colour, 0.25));
            scene.oval_ring(ORB, (92.0, 30.0), 4.0, flat(colour));
            scene.disc(x + 92.0, y, 18.0, glow((x + 92.0, y, 18.0), colour, 1.0));
            scene.disc(x + 92.0, y, 7.0, flat(0xff_ffff));
        });
    }
    scene.disc(x, y, 44.0, glow((x, y, 44.0), 0xff_ffff, 0.9));
    for (dx, dy, colour) in [(-9.0, -6.0, PINK), (9.0, -5.0, CYAN), (0.0, 9.0, GOLD), (0.0, -2.0, 0xff_ffff)] {
        scene.disc(x + dx, y + dy, 12.0, ball((x + dx - 3.0, y + dy - 4.0, 16.0), 0xff_ffff, colour));
    }
}

fn hands(scene: &mut Scene) {
    scene.both_sides(|scene| {
        scene.fill("M 60 512 C 70 452 96 424 134 420 C 160 424 172 446 168 470 L 150 512 Z", fade((420.0, 0x7a_52f2), (512.0, 0x2c_167c)));
        scene.line("M 134 420 C 160 424 172 446 168 470", 6.0, flat(GOLD));
        scene.fill("M 150 432 C 160 414 176 408 186 414 C 180 422 184 430 178 440 C 186 444 182 456 172 458 C 164 462 152 450 150 432 Z", fade((408.0, 0xf7_cdb0), (462.0, 0xb8_7a70)));
    });
}
