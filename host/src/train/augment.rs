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
    /// The part that is enlarged to the whole.
    window: Window,
}

/// A part of a picture, as shares of its sides.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    top: f32,
    left: f32,
    side: f32,
}

impl Window {
    /// Of a row of the result among `n`: the two rows that it lies between, and how near it is to the second.
    fn between(start: f32, side: f32, i: usize, n: usize) -> (usize, usize, f32) {
        let at = ((start + side * (i as f32 + 0.5) / n as f32) * n as f32 - 0.5).clamp(0.0, n as f32 - 1.0);
        let first = at.floor();
        (first as usize, (first as usize + 1).min(n - 1), at - first)
    }

    /// Enlarges the window of a picture, `[h, w, 3]`, linear between pixels.
    fn enlarge(self, pixels: &[u8], [h, w]: [usize; 2]) -> Vec<u8> {
        let mut out = Vec::with_capacity(pixels.len());
        for y in 0..h {
            let (y0, y1, dy) = Self::between(self.top, self.side, y, h);
            for x in 0..w {
                let (x0, x1, dx) = Self::between(self.left, self.side, x, w);
                for channel in 0..3 {
                    let at = |y: usize, x: usize| f32::from(pixels[(y * w + x) * 3 + channel]);
                    let upper = at(y0, x0) * (1.0 - dx) + at(y0, x1) * dx;
                    let lower = at(y1, x0) * (1.0 - dx) + at(y1, x1) * dx;
                    out.push((upper * (1.0 - dy) + lower * dy).round() as u8);
                }
            }
        }
        out
    }

    /// Enlarges the window of a mask, `[h, w]`, to the nearest pixel.
    fn enlarge_mask<T: Copy>(self, mask: &[T], [h, w]: [usize; 2]) -> Vec<T> {
        let nearest = |(first, second, share): (usize, usize, f32)| if share < 0.5 { first } else { second };
        let row = |y| nearest(Self::between(self.top, self.side, y, h));
        let column = |x| nearest(Self::between(self.left, self.side, x, w));
        (0..h)
            .flat_map(|y| (0..w).map(move |x| (y, x)))
            .map(|(y, x)| mask[row(y) * w + column(x)])
            .collect()
    }
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
        let side = 1.0 - settings.zoom * rng.random::<f32>();
        let mut start = || (1.0 - side) * rng.random::<f32>();
        let window = Window {
            top: start(),
            left: start(),
            side,
        };
        let turns = if square { turns } else { turns & 2 };
        Self {
            mirrored: settings.flips && mirrored,
            turns: if settings.quarter_turns { turns } else { 0 },
            gain,
            window,
        }
    }

    /// Appends the changed picture, `[h, w, 3]`.
    pub fn picture(&self, pixels: &[u8], [h, w]: [usize; 2], into: &mut Vec<u8>) {
        let enlarged = (self.window.side < 1.0).then(|| self.window.enlarge(pixels, [h, w]));
        let pixels = enlarged.as_deref().unwrap_or(pixels);
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
        let enlarged = (self.window.side < 1.0).then(|| self.window.enlarge_mask(mask, [h, w]));
        let mask = enlarged.as_deref().unwrap_or(mask);
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
        window: Window {
            top: 0.0,
            left: 0.0,
            side: 1.0,
        },
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
    fn a_window_is_enlarged_with_its_mask() {
        let change = Change {
            window: Window {
                top: 0.5,
                left: 0.5,
                side: 0.5,
            },
            ..STILL
        };
        let mask: Vec<u8> = (0..16).collect();
        // Rows and columns 1.75, 2.25, 2.75 and 3: nearest are 2, 2, 3 and 3.
        assert_eq!(
            changed(change, &mask, [4, 4]),
            [10, 10, 11, 11, 10, 10, 11, 11, 14, 14, 15, 15, 14, 14, 15, 15]
        );
        let pixels: Vec<u8> = mask.iter().flat_map(|&m| [m * 4, 0, 0]).collect();
        let mut picture = Vec::new();
        change.picture(&pixels, [4, 4], &mut picture);
        let top: Vec<u8> = picture[..12].iter().copied().step_by(3).collect();
        // Rows 1.75 and columns 1.75, 2.25, 2.75 and 3 of numbers that grow by 4 per column and 16 per row.
        assert_eq!(top, [35, 37, 39, 40]);
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
