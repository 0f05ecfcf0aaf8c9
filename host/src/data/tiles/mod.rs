//! A seeded generator of crop/weed/soil tiles, for trying segmentation without anyone's photographs.
//!
//! Each tile shows bare ground from above: clods, stones, straw, wet patches, moss; crop as rosettes of broad rounded leaves; weeds
//! as grass tufts and small ragged seedlings. Light, shadows, white balance, exposure and sensor noise differ from tile to tile.
//! Weed and crop draw their colours from one distribution and moss comes close to it, so that colour alone does not tell them
//! apart: shape does. Figures measured on these tiles say "generated".
//!
//! A tile depends on the seed and its index alone. Scenes are drawn with nine samples per pixel: a pixel's
//! colour is their mean, its class their majority. They scale with the shorter side.

mod canvas;
mod ground;
mod plants;
mod scene;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{SegmentationData, Split};
use canvas::Canvas;
pub(super) use canvas::gauss;
pub(super) use scene::{Scene, Stand};

/// Class names, in the order of their indices.
pub const CLASSES: [&str; 3] = ["weed", "crop", "soil"];

/// The seed of the built-in tiles.
pub const SEED: u64 = 7;

/// Samples along each side of a pixel.
const SAMPLES: usize = 3;

pub(super) const WEED: u8 = 0;
pub(super) const CROP: u8 = 1;
pub(super) const SOIL: u8 = 2;

/// `count` tiles of `[height, width]`.
pub fn generate(seed: u64, count: usize, [height, width]: [usize; 2]) -> SegmentationData {
    let mut pixels = vec![0; count * height * width * 3];
    let mut masks = vec![0; count * height * width];
    let tiles = pixels
        .par_chunks_exact_mut(height * width * 3)
        .zip(masks.par_chunks_exact_mut(height * width));
    tiles.enumerate().for_each(|(index, (pixels, mask))| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index as u64);
        tile(&mut rng, height, width, pixels, mask);
    });
    SegmentationData {
        height,
        width,
        classes: CLASSES.map(str::to_owned).to_vec(),
        names: (0..count).map(|index| format!("generated {index}")).collect(),
        pixels,
        masks,
        places: Vec::new(),
        split: Split::default(),
        generated: true,
    }
}

/// Where light comes from and how it falls.
struct Light {
    /// Direction in which shadows fall, one unit long.
    away: [f32; 2],
    /// Brightness of what lies in shadow, 0 to 1.
    shade: f32,
}

impl Light {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let angle = rng.random_range(0.0..std::f32::consts::TAU);
        Self {
            away: [angle.cos(), angle.sin()],
            shade: rng.random_range(0.45..0.85),
        }
    }
}

fn tile(rng: &mut ChaCha8Rng, height: usize, width: usize, pixels: &mut [u8], mask: &mut [u8]) {
    let unit = height.min(width) as f32 / 32.0;
    let light = Light::draw(rng);
    let mut canvas = Canvas::new(height, width, unit);
    ground::draw(&mut canvas, rng, &light);
    plants::draw(&mut canvas, rng, &light);
    ground::cast_shadow(&mut canvas, rng, &light);
    canvas.expose(rng, pixels, mask);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::colour::ColourClassifier;

    #[test]
    fn a_tile_depends_on_seed_and_index_alone() {
        let few = generate(3, 4, [32, 32]);
        let more = generate(3, 8, [32, 32]);
        assert_eq!(few.pixels, more.pixels[..few.pixels.len()]);
        assert_ne!(few.pixels, generate(4, 4, [32, 32]).pixels);
        assert_ne!(more.picture(0), more.picture(1));
        assert_eq!(generate(3, 2, [48, 64]).pixels.len(), 2 * 48 * 64 * 3);
    }

    #[test]
    fn classes_have_their_shares() {
        let data = generate(SEED, 400, [32, 32]);
        let share = |class| data.masks.iter().filter(|&&c| c == class).count() as f64 / data.masks.len() as f64;
        assert!((0.03..0.08).contains(&share(WEED)), "weed {}", share(WEED));
        assert!((0.10..0.20).contains(&share(CROP)), "crop {}", share(CROP));
    }

    #[test]
    fn colour_alone_does_not_solve_them() {
        let mut data = generate(SEED, 600, [32, 32]);
        data.split.train = (0..400).collect();
        data.split.test = (400..600).collect();
        let colour = ColourClassifier::fit(&data, &data.split.train);
        let mean = colour.judge(&data, &data.split.test).miou;
        assert!((0.40..0.62).contains(&mean), "{mean}");
    }
}
