//! Level 3: a hooded archer whose bow-string and belt are chain.

use super::palette::{ball, fade, flat, glow, sheer};
use super::scene::Scene;

const AMBER: u32 = 0xff_c94a;
const MINT: u32 = 0x5c_f2b0;

pub(super) fn draw() -> Scene {
    let mut scene = Scene::new(0x10_4a3c, 0x03_100d, 0x2f_a67c);
    moon(&mut scene);
    forest(&mut scene);
    cloak(&mut scene);
    hood(&mut scene);
    belt(&mut scene);
    bow(&mut scene);
    scene.framed(MINT, 3)
}

fn moon(scene: &mut Scene) {
    scene.disc(256.0, 196.0, 240.0, glow((256.0, 196.0, 240.0), 0xe8_ffe0, 0.5));
    scene.disc(256.0, 196.0, 150.0, ball((220.0, 150.0, 230.0), 0xfb_fff0, 0xa9_d8b4));
    for (x, y, radius) in [(170.0, 150.0, 16.0), (350.0, 230.0, 20.0), (328.0, 110.0, 12.0), (190.0, 262.0, 11.0)] {
        scene.disc(x, y, radius, sheer(0x6f_a886, 0.4));
    }
    scene.ring(256.0, 196.0, 176.0, 3.0, sheer(MINT, 0.75));
    for quarter in 0..4_u8 {
        scene.turned(90.0 * f32::from(quarter), (256.0, 196.0), |scene| {
            scene.line("M 256 8 L 256 52", 4.0, sheer(MINT, 0.9));
            scene.turned(45.0, (256.0, 196.0), |scene| scene.line("M 256 14 L 256 26", 3.0, sheer(MINT, 0.6)));
        });
    }
}

fn forest(scene: &mut Scene) {
    for (x, top, half, colour) in [
        (30.0, 210.0, 58.0, 0x0c_3a2d),
        (112.0, 268.0, 46.0, 0x0a_3026),
        (484.0, 196.0, 60.0, 0x0c_3a2d),
        (404.0, 262.0, 48.0, 0x0a_3026),
        (72.0, 320.0, 54.0, 0x06_2019),
        (446.0, 314.0, 56.0, 0x06_2019),
    ] {
        for tier in 0..4_u8 {
            let (tip, width) = (top + 48.0 * f32::from(tier), half * (0.45 + 0.2 * f32::from(tier)));
            let foot = tip + 92.0;
            scene.fill(&format!("M {x} {tip} L {} {foot} L {} {foot} Z", x + width, x - width), flat(colour));
        }
    }
    scene.fill("M 0 440 Q 128 410 256 432 Q 384 410 512 440 L 512 512 L 0 512 Z", flat(0x04_1713));
}

fn cloak(scene: &mut Scene) {
    scene.fill(
        "M 256 200 C 320 230 372 330 404 512 L 108 512 C 140 330 192 230 256 200 Z",
        fade((220.0, 0x1f_6b4f), (512.0, 0x0a_2a20)),
    );
    scene.both_sides(|scene| {
        scene.fill("M 256 250 C 222 300 176 380 160 512 L 108 512 C 140 330 192 230 256 200 Z", sheer(0x03_140f, 0.3));
        scene.line("M 214 330 C 196 390 188 450 186 512", 4.0, sheer(0x05_2018, 0.6));
    });
}

fn hood(scene: &mut Scene) {
    const HOOD: &str = "M 256 70 C 300 92 352 160 350 244 C 346 296 312 330 256 344 C 200 330 166 296 162 244 C 160 160 212 92 256 70 Z";
    const OPENING: &str = "M 256 132 C 288 146 314 190 312 244 C 308 286 286 306 256 314 C 226 306 204 286 200 244 C 198 190 224 146 256 132 Z";
    scene.fill(HOOD, fade((70.0, 0x35_9a70), (344.0, 0x11_4634)));
    scene.line("M 256 74 C 222 98 176 160 172 236", 5.0, sheer(0xb8_ffdc, 0.45));
    scene.fill(OPENING, ball((256.0, 220.0, 110.0), 0x0b_1f1b, 0x01_0504));
    scene.line(OPENING, 5.0, flat(0x0a_3326));
    scene.both_sides(|scene| {
        scene.disc(228.0, 226.0, 34.0, glow((228.0, 226.0, 34.0), AMBER, 0.9));
        scene.fill("M 210 220 Q 232 216 246 234 Q 226 240 210 220 Z", flat(AMBER));
        scene.disc(230.0, 228.0, 3.5, flat(0xff_ffff));
    });
    scene.fill(
        "M 206 258 Q 256 236 306 258 Q 304 300 256 314 Q 208 300 206 258 Z",
        fade((244.0, 0x1a_5a44), (314.0, 0x0a_2c21)),
    );
    scene.line("M 210 260 Q 256 240 302 260", 3.0, sheer(MINT, 0.6));
}

fn belt(scene: &mut Scene) {
    for link in 0..9_u8 {
        let share = f32::from(link);
        let (x, y) = (176.0 + 23.0 * share, 362.0 + 14.5 * share);
        scene.turned(32.0, (x, y), |scene| {
            let radii = if link % 2 == 0 { (17.0, 11.0) } else { (15.0, 5.0) };
            scene.oval_ring((x, y), radii, 9.0, flat(0x03_1510));
            scene.oval_ring((x, y), radii, 5.0, fade((y - 12.0, 0xf4_fff9), (y + 12.0, 0x7f_bfa4)));
        });
    }
}

fn bow(scene: &mut Scene) {
    scene.line("M 122 140 L 170 292 L 122 444", 3.0, sheer(0xff_ffff, 0.9));
    scene.line("M 122 140 C 44 200 44 384 122 444", 15.0, flat(0x1c_0f06));
    scene.line("M 122 140 C 44 200 44 384 122 444", 9.0, fade((140.0, 0xd9_963f), (444.0, 0x8f_5518)));
    scene.line("M 63 270 L 63 314", 15.0, flat(0x3a_1f0c));
    scene.line("M 170 292 L 44 292", 5.0, flat(0xe6_d3a8));
    scene.disc(38.0, 292.0, 40.0, glow((38.0, 292.0, 40.0), MINT, 0.95));
    scene.fill("M 26 292 L 54 278 L 48 292 L 54 306 Z", flat(0xe8_fff6));
    for x in [150.0, 160.0, 170.0] {
        scene.line(&format!("M {x} 292 L {} 280 M {x} 292 L {} 304", x + 10.0, x + 10.0), 4.0, flat(MINT));
    }
    scene.disc(172.0, 296.0, 15.0, ball((168.0, 290.0, 20.0), 0x2f_7d5e, 0x0e_3a2b));
}
