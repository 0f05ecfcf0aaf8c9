//! Random changes of a training picture: it is mirrored and turned together with its mask; its light may change.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::config::Augmentation;

/// One draw of changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    mirrored: bool,
    /// Quarter turns, 0 to 3.
    turns: u8,
    /// Factor per colour channel.
    gain: [f32; 3],
}

impl Change {
    /// Draws what `settings` allow. Pictures that are not square are turned by halves only.
    pub fn draw(settings: &Augmentation, square: bool, rng: &mut ChaCha8Rng) -> Self {
        // Always the same number of draws, so that switching one change off leaves the others as they are.
        let mirrored = rng.random::<bool>();
        let turns = rng.random_range(0..4u8);
        let mut within = |spread: f32| 1.0 + spread * (2.0 * rng.random::<f32>() - 1.0);
        let brightness = within(settings.brightness);
        let gain = [(); 3].map(|()| brightness * within(settings.colour));
        let turns = if square { turns } else { turns & 2 };
        Self {
            mirrored: settings.flips && mirrored,
            turns: if settings.quarter_turns { turns } else { 0 },
            gain,
        }
    }

    /// Appends the changed picture, `[h, w, 3]`.
    pub fn picture(&self, pixels: &[u8], [h, w]: [usize; 2], into: &mut Vec<u8>) {
        for source in self.sources(h, w) {
            for channel in 0..3 {
                let byte = pixels[source * 3 + channel];
                into.push(if self.gain[channel] == 1.0 {
                    byte
                } else {
                    (f32::from(byte) * self.gain[channel]).round().clamp(0.0, 255.0) as u8
                });
            }
        }
    }

    /// Appends the changed mask, or another plane of one value per pixel, `[h, w]`.
    pub fn mask<T: Copy>(&self, mask: &[T], [h, w]: [usize; 2], into: &mut Vec<T>) {
        into.extend(self.sources(h, w).map(|source| mask[source]));
    }

    /// For every pixel of the result, where it comes from.
    fn sources(self, h: usize, w: usize) -> impl Iterator<Item = usize> {
        (0..h)
            .flat_map(move |y| (0..w).map(move |x| (y, x)))
            .map(move |(y, x)| {
                let x = if self.mirrored { w - 1 - x } else { x };
                let (y, x) = match self.turns {
                    0 => (y, x),
                    1 => (x, h - 1 - y),
                    2 => (h - 1 - y, w - 1 - x),
                    _ => (w - 1 - x, y),
                };
                y * w + x
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Change = Change {
        mirrored: false,
        turns: 0,
        gain: [1.0; 3],
    };

    fn changed(change: Change, mask: &[u8], size: [usize; 2]) -> Vec<u8> {
        let mut into = Vec::new();
        change.mask(mask, size, &mut into);
        into
    }

    #[test]
    fn turns_and_mirrors_by_hand() {
        let mask = [1, 2, 3, 4];
        let turned = |turns, mirrored| {
            changed(
                Change {
                    turns,
                    mirrored,
                    ..STILL
                },
                &mask,
                [2, 2],
            )
        };
        assert_eq!(turned(0, false), [1, 2, 3, 4]);
        assert_eq!(turned(0, true), [2, 1, 4, 3]);
        assert_eq!(turned(2, false), [4, 3, 2, 1]);
        assert_eq!(turned(1, false), [2, 4, 1, 3]);
        assert_eq!(turned(3, false), [3, 1, 4, 2]);
        assert_eq!(
            changed(Change { turns: 2, ..STILL }, &[1, 2, 3, 4, 5, 6], [2, 3]),
            [6, 5, 4, 3, 2, 1]
        );
    }

    #[test]
    fn picture_and_mask_move_together() {
        let mask: Vec<u8> = (0..9).collect();
        let pixels: Vec<u8> = mask.iter().flat_map(|&m| [m, m + 10, m + 20]).collect();
        let change = Change {
            turns: 3,
            mirrored: true,
            ..STILL
        };
        let mut picture = Vec::new();
        change.picture(&pixels, [3, 3], &mut picture);
        let red: Vec<u8> = picture.iter().copied().step_by(3).collect();
        assert_eq!(red, changed(change, &mask, [3, 3]));
    }

    #[test]
    fn gains_saturate() {
        let change = Change {
            gain: [2.0, 0.5, 1.0],
            ..STILL
        };
        let mut picture = Vec::new();
        change.picture(&[200, 201, 7], [1, 1], &mut picture);
        assert_eq!(picture, [255, 101, 7]);
    }
}
