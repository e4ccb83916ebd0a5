//! Level 1: a hen with a visor, wired to the market.

use super::palette::{ball, fade, flat, glow, sheer};
use super::scene::Scene;

const CYAN: u32 = 0x3d_f0ff;

pub(super) fn draw() -> Scene {
    let mut scene = Scene::new(0x0b_3346, 0x06_121c, 0x1f_8fa6);
    circuit(&mut scene);
    body(&mut scene);
    comb(&mut scene);
    head(&mut scene);
    visor(&mut scene);
    headset(&mut scene);
    scene.framed(CYAN, 1)
}

fn circuit(scene: &mut Scene) {
    scene.both_sides(|scene| {
        for (path, x, y) in [
            ("M 0 96 L 70 96 L 108 134", 108.0, 134.0),
            ("M 0 150 L 44 150 L 84 190", 84.0, 190.0),
            ("M 0 250 L 60 250", 60.0, 250.0),
            ("M 0 330 L 50 330 L 76 304", 76.0, 304.0),
            ("M 130 0 L 130 60 L 158 88", 158.0, 88.0),
            ("M 196 0 L 196 44", 196.0, 44.0),
        ] {
            scene.line(path, 4.0, sheer(CYAN, 0.28));
            scene.disc(x, y, 14.0, glow((x, y, 14.0), CYAN, 0.7));
            scene.disc(x, y, 5.0, flat(CYAN));
        }
    });
}

fn body(scene: &mut Scene) {
    const BREAST: &str = "M 256 290 C 350 300 424 370 440 512 L 72 512 C 88 370 162 300 256 290 Z";
    scene.fill(BREAST, fade((300.0, 0xff_f4dc), (512.0, 0xd9_a866)));
    scene.both_sides(|scene| {
        scene.fill(
            "M 92 512 C 92 440 112 392 150 366 C 176 410 176 470 160 512 Z",
            fade((366.0, 0xe8_b46a), (512.0, 0xa8_6a2c)),
        );
        scene.line("M 118 512 C 118 470 126 440 140 414", 4.0, sheer(0x6b_3d14, 0.5));
        scene.line("M 140 512 C 142 480 146 460 154 440", 4.0, sheer(0x6b_3d14, 0.5));
    });
    for (y, xs) in [
        (392.0, vec![216.0, 256.0, 296.0]),
        (428.0, vec![196.0, 236.0, 276.0, 316.0]),
        (464.0, vec![216.0, 256.0, 296.0]),
    ] {
        for x in xs {
            scene.line(&format!("M {} {y} Q {x} {} {} {y}", x - 14.0, y + 20.0, x + 14.0), 4.0, sheer(0xb8_8446, 0.7));
        }
    }
}

fn comb(scene: &mut Scene) {
    const COMB: &str =
        "M 188 150 C 168 96 196 66 220 92 C 222 44 276 28 284 82 C 304 48 350 68 326 130 L 320 164 L 192 164 Z";
    scene.fill(COMB, fade((50.0, 0xff_5a5f), (164.0, 0xb3_1230)));
    scene.line("M 204 104 Q 200 120 206 136", 5.0, sheer(0xff_ffff, 0.35));
    scene.line("M 246 66 Q 236 90 242 116", 5.0, sheer(0xff_ffff, 0.35));
}

fn head(scene: &mut Scene) {
    scene.oval((256.0, 232.0), (106.0, 112.0), ball((236.0, 190.0, 170.0), 0xff_fdf4, 0xe6_bf82));
    scene.both_sides(|scene| {
        scene.oval((238.0, 336.0), (17.0, 30.0), fade((306.0, 0xf0_3b4c), (366.0, 0xa3_1028)));
    });
    scene.fill(
        "M 206 272 Q 256 246 306 272 Q 284 330 256 336 Q 228 330 206 272 Z",
        fade((256.0, 0xff_c23c), (336.0, 0xe0_7a10)),
    );
    scene.line("M 210 276 Q 256 300 302 276", 5.0, flat(0xa8_5208));
    scene.both_sides(|scene| scene.oval((240.0, 270.0), (4.0, 3.0), flat(0x8a_4406)));
}

fn visor(scene: &mut Scene) {
    const VISOR: &str = "M 146 184 Q 256 160 366 184 Q 376 226 352 250 Q 312 262 282 246 Q 256 232 230 246 Q 200 262 160 250 Q 136 226 146 184 Z";
    scene.disc(256.0, 214.0, 170.0, glow((256.0, 214.0, 170.0), CYAN, 0.35));
    scene.fill(VISOR, fade((170.0, 0x07_2b3c), (256.0, 0x0d_7a93)));
    scene.line(VISOR, 6.0, flat(0x05_1620));
    scene.line("M 162 236 L 192 222 L 212 232 L 240 204 L 262 222 L 292 192 L 318 214 L 350 190", 5.0, flat(CYAN));
    scene.line(
        "M 162 236 L 192 222 L 212 232 L 240 204 L 262 222 L 292 192 L 318 214 L 350 190",
        14.0,
        sheer(CYAN, 0.2),
    );
    scene.disc(350.0, 190.0, 7.0, flat(0xff_ffff));
    scene.line("M 160 192 Q 200 182 236 180", 5.0, sheer(0xff_ffff, 0.6));
}

fn headset(scene: &mut Scene) {
    scene.line("M 148 206 C 140 110 200 96 256 96 C 312 96 372 110 364 206", 12.0, flat(0x1b_2a36));
    scene.line("M 152 190 C 150 118 206 100 256 100", 3.0, sheer(0xff_ffff, 0.35));
    scene.both_sides(|scene| {
        scene.oval((140.0, 218.0), (24.0, 38.0), fade((180.0, 0x33_4c5e), (256.0, 0x0d_1820)));
        scene.oval_ring((138.0, 218.0), (13.0, 24.0), 5.0, flat(CYAN));
    });
    scene.line("M 372 192 L 404 116", 6.0, flat(0x2c_4150));
    scene.disc(405.0, 112.0, 30.0, glow((405.0, 112.0, 30.0), 0xff_5a5f, 0.9));
    scene.disc(405.0, 112.0, 9.0, flat(0xff_7a7d));
}
