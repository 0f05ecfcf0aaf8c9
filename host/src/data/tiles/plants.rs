//! Plants: crop rosettes of broad rounded leaves, grass tufts, small ragged seedlings.

use std::f32::consts::{PI, TAU};
use std::ops::Range;

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Colour, Shape};
use super::{CROP, Light, WEED};

/// Draws the plants, in random order, so that either kind may cover the other.
pub(super) fn draw(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light) {
    let mut plants: Vec<fn(&mut Canvas, &mut ChaCha8Rng, &Light)> = Vec::new();
    let crops = [0, 1, 1, 1, 2, 2][rng.random_range(0..6)];
    let tufts = [0, 0, 1, 1, 2, 3][rng.random_range(0..6)];
    let seedlings = [0, 0, 0, 1, 2, 3][rng.random_range(0..6)];
    plants.extend((0..crops).map(|_| rosette as fn(&mut Canvas, &mut ChaCha8Rng, &Light)));
    plants.extend((0..tufts).map(|_| tuft as fn(&mut Canvas, &mut ChaCha8Rng, &Light)));
    plants.extend((0..seedlings).map(|_| seedling as fn(&mut Canvas, &mut ChaCha8Rng, &Light)));
    plants.shuffle(rng);
    for plant in plants {
        plant(canvas, rng, light);
    }
}

/// The colour of a plant, weed or crop: from yellowish to bluish green, some pale, some withering.
pub(super) fn leaf_colour(rng: &mut ChaCha8Rng) -> Colour {
    let green = rng.random_range(0.13..0.38_f32);
    let red = rng.random_range(0.35..0.95);
    let blue = rng.random_range(0.15..0.5);
    [green * red, green, green * blue]
}

fn jitter(rng: &mut ChaCha8Rng, colour: Colour) -> Colour {
    let brightness = rng.random_range(0.75..1.25);
    let yellow = rng.random_range(0.85..1.2);
    [
        colour[0] * brightness * yellow,
        colour[1] * brightness,
        colour[2] * brightness,
    ]
}

/// A point that may lie a little outside the tile.
fn near(canvas: &Canvas, rng: &mut ChaCha8Rng) -> [f32; 2] {
    canvas.extent.map(|side| rng.random_range(-0.08..1.08) * side)
}

fn ahead(from: [f32; 2], angle: f32, distance: f32) -> [f32; 2] {
    [from[0] + angle.cos() * distance, from[1] + angle.sin() * distance]
}

/// A crop plant: a circle of broad leaves on short stalks.
fn rosette(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light) {
    broadleaf(canvas, rng, light, 1.0, CROP);
}

/// A circle of broad leaves on short stalks, `scale` times the size of a crop plant.
pub(super) fn broadleaf(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light, scale: f32, class: u8) {
    let (centre, colour) = (near(canvas, rng), leaf_colour(rng));
    let leaves = rng.random_range(4..8);
    let (turn, size) = (rng.random_range(0.0..TAU), scale * rng.random_range(0.8..1.3));
    let aspect = rng.random_range(0.6..0.85);
    for leaf in 0..leaves {
        let angle = turn + TAU * (leaf as f32 + rng.random_range(-0.25..0.25)) / leaves as f32;
        let length = size * rng.random_range(5.5..9.5);
        let leaf = Leaf::new(
            ahead(centre, angle, rng.random_range(0.4..2.2) * size),
            angle + rng.random_range(-0.3..0.3),
            length,
            length * aspect * rng.random_range(0.85..1.1),
            Edge::Smooth,
            rng,
        );
        canvas.darken(&leaf, light.away.map(|away| away * 1.3), light.shade);
        let colour = jitter(rng, colour);
        canvas.paint(&leaf, colour, class);
    }
}

/// A weed: several grass blades from one root.
fn tuft(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light) {
    grass(canvas, rng, light, 1.0, WEED);
}

/// Several grass blades from one root, `scale` times as long as a weed's.
pub(super) fn grass(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light, scale: f32, class: u8) {
    let (root, colour) = (near(canvas, rng), leaf_colour(rng));
    let blades = rng.random_range(3..8);
    for _ in 0..blades {
        let blade = Blade::new(rng, root, None, 5.0 * scale..13.0 * scale, 0.65..1.2);
        canvas.darken(&blade, light.away.map(|away| away * 0.8), light.shade);
        let colour = jitter(rng, colour);
        canvas.paint(&blade, colour, class);
    }
}

/// A weed: a few small ragged leaves on thin stalks.
fn seedling(canvas: &mut Canvas, rng: &mut ChaCha8Rng, light: &Light) {
    let (centre, colour) = (near(canvas, rng), leaf_colour(rng));
    let leaves = rng.random_range(3..7);
    let turn = rng.random_range(0.0..TAU);
    for leaf in 0..leaves {
        let angle = turn + TAU * (leaf as f32 + rng.random_range(-0.3..0.3)) / leaves as f32;
        let stalk = rng.random_range(0.8..2.2);
        let blade = Blade::new(rng, centre, Some(angle), stalk..stalk + 0.1, 0.35..0.5);
        let length = rng.random_range(2.4..4.6);
        let width = length * rng.random_range(0.45..0.75);
        let leaf = Leaf::new(ahead(centre, angle, stalk), angle, length, width, Edge::Ragged, rng);
        let colour = jitter(rng, colour);
        canvas.darken(&leaf, light.away.map(|away| away * 0.6), light.shade);
        canvas.paint(&blade, colour, WEED);
        canvas.paint(&leaf, colour, WEED);
    }
}

/// What a leaf's edge looks like.
#[derive(Clone, Copy, PartialEq)]
enum Edge {
    Smooth,
    Ragged,
}

/// A leaf with a midrib; one half of it is turned to the light.
struct Leaf {
    base: [f32; 2],
    direction: [f32; 2],
    length: f32,
    width: f32,
    teeth: f32,
    phase: f32,
    fold: f32,
}

impl Leaf {
    fn new(base: [f32; 2], angle: f32, length: f32, width: f32, edge: Edge, rng: &mut ChaCha8Rng) -> Self {
        Self {
            base,
            direction: [angle.cos(), angle.sin()],
            length,
            width,
            teeth: if edge == Edge::Ragged {
                rng.random_range(0.2..0.45)
            } else {
                0.04
            },
            phase: rng.random_range(0.0..TAU),
            fold: rng.random_range(-0.22..0.22),
        }
    }
}

impl Shape for Leaf {
    fn bounds(&self) -> [f32; 4] {
        let [x, y] = self.base;
        let tip = [x + self.direction[0] * self.length, y + self.direction[1] * self.length];
        let around = self.width;
        [
            x.min(tip[0]) - around,
            y.min(tip[1]) - around,
            x.max(tip[0]) + around,
            y.max(tip[1]) + around,
        ]
    }

    fn surface(&self, x: f32, y: f32) -> Option<f32> {
        let (dx, dy) = (x - self.base[0], y - self.base[1]);
        let along = (dx * self.direction[0] + dy * self.direction[1]) / self.length;
        if !(0.0..=1.0).contains(&along) {
            return None;
        }
        let across = (dy * self.direction[0] - dx * self.direction[1]) / (self.width * 0.5);
        let outline = (PI * along.powf(1.15)).sin().max(0.0).powf(0.55);
        let teeth = 1.0 - self.teeth * (0.5 + 0.5 * (along * 16.0 + self.phase + 2.0 * across.signum()).sin());
        if across.abs() > outline * teeth {
            return None;
        }
        let midrib = if across.abs() * self.width < 0.35 { 0.18 } else { 0.0 };
        let veins = 0.06 * (along * 22.0 - across.abs() * 5.0 + self.phase).sin();
        Some(1.0 + self.fold * across.signum() + midrib + veins - 0.18 * across * across)
    }
}

/// A bent blade, thinner towards its tip.
pub(super) struct Blade {
    points: [[f32; 2]; 6],
    radius: f32,
}

impl Blade {
    /// From `root` in that direction, or any; length and width of the blade in the ranges.
    pub(super) fn new(
        rng: &mut ChaCha8Rng,
        root: [f32; 2],
        angle: Option<f32>,
        length: Range<f32>,
        width: Range<f32>,
    ) -> Self {
        let mut angle = angle.unwrap_or_else(|| rng.random_range(0.0..TAU));
        let (step, bend) = (rng.random_range(length) / 5.0, rng.random_range(-0.25..0.25));
        let mut points = [root; 6];
        for index in 1..6 {
            points[index] = ahead(points[index - 1], angle, step);
            angle += bend;
        }
        Self {
            points,
            radius: rng.random_range(width),
        }
    }
}

impl Shape for Blade {
    fn bounds(&self) -> [f32; 4] {
        let mut bounds = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
        for [x, y] in self.points {
            let r = self.radius;
            bounds = [
                bounds[0].min(x - r),
                bounds[1].min(y - r),
                bounds[2].max(x + r),
                bounds[3].max(y + r),
            ];
        }
        bounds
    }

    fn surface(&self, x: f32, y: f32) -> Option<f32> {
        for (index, ends) in self.points.windows(2).enumerate() {
            let [[ax, ay], [bx, by]] = [ends[0], ends[1]];
            let (ux, uy) = (bx - ax, by - ay);
            let t = (((x - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy)).clamp(0.0, 1.0);
            let (dx, dy) = (x - ax - t * ux, y - ay - t * uy);
            let radius = self.radius * (1.0 - 0.7 * (index as f32 + t) / 5.0);
            let distance = (dx * dx + dy * dy).sqrt();
            if distance < radius {
                return Some(1.1 - 0.25 * distance / radius);
            }
        }
        None
    }
}
