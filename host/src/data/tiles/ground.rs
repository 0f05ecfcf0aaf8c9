//! The ground: clods, wet patches, moss, stones and straw; and broad shadows over everything.

use std::f32::consts::TAU;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Colour, Shape};
use super::plants::{Blade, leaf_colour};
use super::{Light, SOIL};

/// Draws the whole ground.
pub(super) fn draw(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light) {
    let dry = soil_colour(rng);
    let moss = leaf_colour(rng);
    let moss_cover = if rng.random_bool(0.5) {
        rng.random_range(0.1..0.5)
    } else {
        0.0
    };
    let moss_strength = rng.random_range(0.3..0.8);
    let (relief, wet) = (rng.random_range(0.25..0.7), rng.random_range(0.2..0.6));
    let height = Noise::new(rng);
    let (patches, moss_patches, grain) = (Noise::new(rng), Noise::new(rng), Noise::new(rng));
    canvas.shade(|x, y, colour| {
        // A slope towards the light is bright, one away from it dark.
        let clods = |x, y| height.at(x * 0.22, y * 0.22) + 0.5 * height.at(x * 0.5, y * 0.5);
        let slope = clods(x + 0.4 * light.away[0], y + 0.4 * light.away[1]) - clods(x, y);
        let brightness = 1.0 - 2.2 * relief * slope;
        let damp = 1.0 - wet * smooth(0.45, 0.7, patches.at(x * 0.08, y * 0.08));
        let speckle = 0.8 + 0.4 * grain.at(x * 1.6, y * 1.6);
        let shade = (brightness * damp * speckle).clamp(0.15, 1.8);
        let field = 0.7 * moss_patches.at(x * 0.12, y * 0.12) + 0.3 * grain.at(x * 0.6 + 40.0, y * 0.6);
        let green = moss_strength * smooth(0.7 - moss_cover * 0.4, 0.9 - moss_cover * 0.4, field);
        for channel in 0..3 {
            colour[channel] = shade * (dry[channel] * (1.0 - green) + moss[channel] * green);
        }
    });
    for _ in 0..rng.random_range(0..7) {
        stone(canvas, rng, light);
    }
    for _ in 0..rng.random_range(0..4) {
        straw(canvas, rng, light);
    }
}

/// Darkens one side of the tile, as a tree or a person beside it would.
pub(super) fn cast_shadow(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light) {
    if !rng.random_bool(0.35) {
        return;
    }
    let angle = rng.random_range(0.0..TAU);
    let [width, height] = canvas.extent;
    let (normal, softness) = ([angle.cos(), angle.sin()], rng.random_range(0.5..5.0));
    let point = [rng.random_range(0.2..0.8) * width, rng.random_range(0.2..0.8) * height];
    let edge = Noise::new(rng);
    canvas.shade(|x, y, colour| {
        let wobble = 4.0 * (edge.at(x * 0.15, y * 0.15) - 0.5);
        let distance = (x - point[0]) * normal[0] + (y - point[1]) * normal[1] + wobble;
        let factor = 1.0 - (1.0 - light.shade) * smooth(-softness, softness, distance);
        *colour = colour.map(|channel| channel * factor);
    });
}

fn soil_colour(rng: &mut ChaCha8Rng) -> Colour {
    let brightness = rng.random_range(0.10..0.30);
    let red = rng.random_range(0.0..1.0);
    [1.0, 0.74 - 0.14 * red, 0.52 - 0.2 * red].map(|channel: f32| channel * brightness)
}

fn anywhere(canvas: &Canvas, rng: &mut ChaCha8Rng) -> [f32; 2] {
    canvas.extent.map(|side| rng.random_range(0.0..side))
}

struct Stone {
    centre: [f32; 2],
    radius: f32,
    /// Longer axis, and by how much the other is shorter.
    axis: [f32; 2],
    flat: f32,
    lit: [f32; 2],
}

impl Shape for Stone {
    fn bounds(&self) -> [f32; 4] {
        let [x, y] = self.centre;
        [x - self.radius, y - self.radius, x + self.radius, y + self.radius]
    }

    fn surface(&self, x: f32, y: f32) -> Option<f32> {
        let (dx, dy) = ((x - self.centre[0]) / self.radius, (y - self.centre[1]) / self.radius);
        let u = dx * self.axis[0] + dy * self.axis[1];
        let v = (dy * self.axis[0] - dx * self.axis[1]) / self.flat;
        (u * u + v * v < 1.0).then(|| 1.0 + 0.45 * (dx * self.lit[0] + dy * self.lit[1]))
    }
}

fn stone(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light) {
    let angle = rng.random_range(0.0..TAU);
    let small: f32 = rng.random_range(0.0..1.0);
    let stone = Stone {
        centre: anywhere(canvas, rng),
        radius: 0.5 + 2.0 * small * small,
        axis: [angle.cos(), angle.sin()],
        flat: rng.random_range(0.55..1.0),
        lit: light.away.map(|away| -away),
    };
    let (grey, warm) = (rng.random_range(0.15..0.45), rng.random_range(0.75..1.0));
    canvas.darken(&stone, light.away.map(|away| away * 0.5), light.shade);
    canvas.paint(&stone, [grey, grey * (0.5 + 0.5 * warm), grey * warm], SOIL);
}

/// Dry stalks: thin like grass, but pale or brown, and part of the soil.
fn straw(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light) {
    let start = anywhere(canvas, rng);
    let blade = Blade::new(rng, start, None, 3.0..9.0, 0.3..0.7);
    let brightness = rng.random_range(0.15..0.5);
    let green = rng.random_range(0.75..1.0);
    canvas.darken(&blade, light.away.map(|away| away * 0.4), light.shade);
    canvas.paint(&blade, [brightness, brightness * green, brightness * 0.5], SOIL);
}

/// 0 up to `low`, 1 from `high`, smooth in between.
fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Value noise: random numbers on a lattice, smoothly joined. Two octaves, values 0 to 1, mean about one half.
struct Noise {
    lattice: [f32; 256],
}

impl Noise {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let mut lattice = [0.0; 256];
        rng.fill(&mut lattice);
        Self { lattice }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        (self.octave(x, y) * 2.0 + self.octave(y * 2.0 + 17.3, x * 2.0 + 5.9)) / 3.0
    }

    fn octave(&self, x: f32, y: f32) -> f32 {
        let (column, row) = (x.floor(), y.floor());
        let (tx, ty) = (smooth(0.0, 1.0, x - column), smooth(0.0, 1.0, y - row));
        let (column, row) = (column as i32, row as i32);
        let value = |dx: i32, dy: i32| self.lattice[((column + dx) & 15 | ((row + dy) & 15) << 4) as usize];
        let top = value(0, 0) + (value(1, 0) - value(0, 0)) * tx;
        let bottom = value(0, 1) + (value(1, 1) - value(0, 1)) * tx;
        top + (bottom - top) * ty
    }
}
