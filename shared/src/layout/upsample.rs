//! Weights of a 3×3 convolution over a picture with every pixel doubled: four 2×2 convolutions, one per phase of row and column.
//!
//! Weights that see the same pixel are added up ([`seen`]), which is exact in whole numbers and leaves four of nine
//! products. A border of the zero point stays one, since a doubled border is a border.
//!
//! ```text
//! stream   phases (even, even) (even, odd) (odd, even) (odd, odd) of (row, column), each all groups of three channels
//! group    bias₀ bias₁ bias₂ · weights · q₀ q₁ q₂
//! weights  per row of the window and word of a pixel: channels 0, 1, 2 of the left pixel, then of the right one
//! ```

use super::depthwise::{SIDE, seen};
use super::{Plain, quad};

/// Output channels of a group.
pub const CHANNELS: usize = 3;
/// Phases of row and column.
pub const PHASES: usize = 4;

/// Words of a pixel.
pub const fn pixel_words(channels: usize) -> usize {
    channels.div_ceil(4) * 2
}

/// Words of one group, for pixels of so many words.
pub const fn group_words(pixel_words: usize) -> usize {
    2 * CHANNELS + 4 * pixel_words * CHANNELS
}

/// Words of one phase.
pub const fn phase_words(channels: usize, pixel_words: usize) -> usize {
    channels.div_ceil(CHANNELS).saturating_mul(group_words(pixel_words))
}

/// Packs a 3×3 convolution of that many input channels.
pub fn pack(plain: &Plain<'_>, input_channels: usize, mut push: impl FnMut(u32)) {
    for phase in 0..PHASES {
        for first in (0..plain.bias.len()).step_by(CHANNELS) {
            let channels = first..first + CHANNELS;
            channels.clone().for_each(|channel| push(plain.bias(channel)));
            for rows in seen(phase / 2) {
                for column in (0..input_channels).step_by(4) {
                    for half in 0..2 {
                        for columns in seen(phase % 2) {
                            let sum = |channel: usize, input: usize| {
                                let weight =
                                    |y: usize, x: usize| plain.weight(channel, (y * SIDE + x) * input_channels + input);
                                let inside = input < input_channels;
                                let row = |y: usize| columns.clone().map(|x| weight(y, x)).sum::<i32>();
                                if inside { rows.clone().map(row).sum() } else { 0 }
                            };
                            channels
                                .clone()
                                .for_each(|channel| push(quad(column, |input| sum(channel, input))[half]));
                        }
                    }
                }
            }
            channels.for_each(|channel| push(plain.multiplier(channel)));
        }
    }
}
