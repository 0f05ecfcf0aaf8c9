//! A tile of a given state: so many plants of either kind, so wet, so bright.
//!
//! Plants look alike whichever of the two kinds was sown; the caller says which class each kind has.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::canvas::Canvas;
use super::plants::{broadleaf, grass};
use super::{Light, ground};

/// Plants of one kind.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Stand {
    /// How many.
    pub(in crate::data) plants: usize,
    /// Their size, 1 for that of the built-in tiles.
    pub(in crate::data) scale: f32,
    /// The class of their pixels.
    pub(in crate::data) class: u8,
}

/// What a tile shows.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Scene {
    /// Rosettes of broad leaves.
    pub(in crate::data) broadleaf: Stand,
    /// Tufts of blades.
    pub(in crate::data) grass: Stand,
    /// Reflectance of the ground, 1 for dry.
    pub(in crate::data) reflectance: f32,
    /// Light that falls on everything, 1 for that of the built-in tiles.
    pub(in crate::data) brightness: f32,
}

impl Scene {
    /// Draws it: everything that the scene leaves open comes from `rng`.
    ///
    /// # Shapes
    /// `pixels` `[height, width, rgb]`, `mask` `[height, width]`.
    pub(in crate::data) fn draw(
        &self,
        rng: &mut ChaCha8Rng,
        [height, width]: [usize; 2],
        pixels: &mut [u8],
        mask: &mut [u8],
    ) {
        let light = Light::draw(rng);
        let mut canvas = Canvas::new(height, width, height.min(width) as f32 / 32.0);
        ground::draw(&mut canvas, rng, &light);
        dim(&mut canvas, self.reflectance);
        let mut plants = vec![true; self.broadleaf.plants];
        plants.resize(self.broadleaf.plants + self.grass.plants, false);
        plants.shuffle(rng);
        for is_broadleaf in plants {
            let (stand, plant) = if is_broadleaf {
                (self.broadleaf, broadleaf as fn(&mut _, &mut _, &_, _, _))
            } else {
                (self.grass, grass as fn(&mut _, &mut _, &_, _, _))
            };
            plant(&mut canvas, rng, &light, stand.scale, stand.class);
        }
        ground::cast_shadow(&mut canvas, rng, &light);
        dim(&mut canvas, self.brightness);
        canvas.expose(rng, pixels, mask);
    }
}

fn dim(canvas: &mut Canvas, factor: f32) {
    canvas.shade(|_, _, colour| *colour = colour.map(|channel| channel * factor));
}
