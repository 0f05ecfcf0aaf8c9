//! What a tile is drawn on: samples with a linear colour and a class each.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{SAMPLES, SOIL};

/// A linear RGB colour, each channel 0 to 1.
pub(super) type Colour = [f32; 3];

/// A shape in tile coordinates (pixels of a 32-pixel tile, x to the right, y down).
pub(super) trait Shape {
    /// A box around it: `[left, top, right, bottom]`.
    fn bounds(&self) -> [f32; 4];
    /// Brightness of its surface at that point; `None` outside.
    fn surface(&self, x: f32, y: f32) -> Option<f32>;
}

/// The samples of one tile.
pub(super) struct Canvas {
    /// Extent in tile coordinates.
    pub(super) extent: [f32; 2],
    rows: usize,
    columns: usize,
    /// Samples per unit of tile coordinates.
    density: f32,
    colours: Vec<Colour>,
    classes: Vec<u8>,
}

impl Canvas {
    /// All soil, black. `unit` is how many pixels one unit of tile coordinates spans.
    pub(super) fn new(height: usize, width: usize, unit: f32) -> Self {
        let (rows, columns) = (height * SAMPLES, width * SAMPLES);
        Self {
            extent: [width as f32 / unit, height as f32 / unit],
            rows,
            columns,
            density: SAMPLES as f32 * unit,
            colours: vec![[0.0; 3]; rows * columns],
            classes: vec![SOIL; rows * columns],
        }
    }

    /// Changes every sample's colour.
    pub(super) fn shade(&mut self, mut change: impl FnMut(f32, f32, &mut Colour)) {
        for (index, colour) in self.colours.iter_mut().enumerate() {
            let x = ((index % self.columns) as f32 + 0.5) / self.density;
            let y = ((index / self.columns) as f32 + 0.5) / self.density;
            change(x, y, colour);
        }
    }

    /// Paints a shape of one class over what is there.
    pub(super) fn paint(&mut self, shape: &impl Shape, colour: Colour, class: u8) {
        self.cover(shape, [0.0; 2], |sample, sample_class, brightness| {
            *sample = colour.map(|channel| channel * brightness);
            *sample_class = class;
        });
    }

    /// Darkens what lies in a shape's shadow, moved by `offset`.
    pub(super) fn darken(&mut self, shape: &impl Shape, offset: [f32; 2], factor: f32) {
        self.cover(shape, offset, |sample, _, _| {
            *sample = sample.map(|channel| channel * factor)
        });
    }

    fn cover(&mut self, shape: &impl Shape, offset: [f32; 2], mut change: impl FnMut(&mut Colour, &mut u8, f32)) {
        let [left, top, right, bottom] = shape.bounds();
        let range = |low: f32, high: f32, count: usize| {
            let clamp = |value: f32| (value * self.density).clamp(0.0, count as f32) as usize;
            clamp(low)..clamp(high + 1.0 / self.density)
        };
        for row in range(top + offset[1], bottom + offset[1], self.rows) {
            for column in range(left + offset[0], right + offset[0], self.columns) {
                let x = (column as f32 + 0.5) / self.density - offset[0];
                let y = (row as f32 + 0.5) / self.density - offset[1];
                if let Some(brightness) = shape.surface(x, y) {
                    let index = row * self.columns + column;
                    change(&mut self.colours[index], &mut self.classes[index], brightness);
                }
            }
        }
    }

    /// Takes the picture: white balance, exposure, lens blur, sensor noise; and each pixel's class.
    pub(super) fn expose(&self, rng: &mut ChaCha8Rng, pixels: &mut [u8], mask: &mut [u8]) {
        let exposure = rng.random_range(0.65..1.3_f32);
        let balance: Colour = [0, 1, 2].map(|_| exposure * rng.random_range(0.9..1.1));
        let (noise, blur) = (rng.random_range(0.008..0.035), rng.random_range(0.0..0.12));
        let width = self.columns / SAMPLES;
        let means: Vec<Colour> = (0..mask.len())
            .map(|pixel| self.mean(pixel / width, pixel % width))
            .collect();
        let at = |row: usize, column: usize| means[row * width + column];
        let height = self.rows / SAMPLES;
        for (pixel, class) in mask.iter_mut().enumerate() {
            let (row, column) = (pixel / width, pixel % width);
            *class = self.majority(row, column);
            let around = [
                at(row.saturating_sub(1), column),
                at((row + 1).min(height - 1), column),
                at(row, column.saturating_sub(1)),
                at(row, (column + 1).min(width - 1)),
            ];
            // Grain is mostly common to the channels, a third of it is colour.
            let grain = gauss(rng) * noise;
            for channel in 0..3 {
                let sides: f32 = around.iter().map(|colour| colour[channel]).sum();
                let sharp = at(row, column)[channel];
                let light = (sharp * (1.0 - 4.0 * blur) + sides * blur) * balance[channel];
                let display = light.clamp(0.0, 1.0).powf(1.0 / 2.2) + grain + gauss(rng) * noise * 0.35;
                pixels[pixel * 3 + channel] = (display * 255.0).round().clamp(0.0, 255.0) as u8;
            }
        }
    }

    fn samples(&self, row: usize, column: usize) -> impl Iterator<Item = usize> {
        let first = row * SAMPLES * self.columns + column * SAMPLES;
        let columns = self.columns;
        (0..SAMPLES * SAMPLES).map(move |i| first + i / SAMPLES * columns + i % SAMPLES)
    }

    fn mean(&self, row: usize, column: usize) -> Colour {
        let mut sum = [0.0; 3];
        for index in self.samples(row, column) {
            for (sum, channel) in sum.iter_mut().zip(self.colours[index]) {
                *sum += channel;
            }
        }
        sum.map(|channel| channel / (SAMPLES * SAMPLES) as f32)
    }

    fn majority(&self, row: usize, column: usize) -> u8 {
        let mut counts = [0_u8; 3];
        self.samples(row, column)
            .for_each(|index| counts[usize::from(self.classes[index])] += 1);
        (1..3).fold(0, |best, class| {
            if counts[usize::from(class)] > counts[usize::from(best)] {
                class
            } else {
                best
            }
        })
    }
}

/// Nearly normal, mean 0, standard deviation 1: the sum of four uniform numbers.
pub(in crate::data) fn gauss(rng: &mut ChaCha8Rng) -> f32 {
    let sum: f32 = (0..4).map(|_| rng.random_range(-0.5..0.5_f32)).sum();
    sum * 3.0_f32.sqrt()
}
