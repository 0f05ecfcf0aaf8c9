//! Transformed weights of a 3×3 convolution with stride 1, for F(2×2, 3×3): `(2G) g (2G)ᵀ`, whole numbers of 16 bits.
//!
//! ```text
//! group    weights of position 0, …, 15, each as in a group of `tiles` · bias₀ … bias₃ · q₀ … q₃
//! ```

use super::depthwise::SIDE;
use super::{Plain, quad};

/// Output channels of a group.
pub const CHANNELS: usize = super::tiles::CHANNELS;
/// Tiles that are computed together.
pub const TILES: usize = super::tiles::PIXELS;
/// Side of a tile's outputs.
pub const OUTPUTS: usize = 2;
/// Side of a tile's inputs.
pub const INPUTS: usize = 4;
/// Products per tile and pair of channels.
pub const POSITIONS: usize = INPUTS * INPUTS;

/// Words of one position of one channel.
pub const fn position_words(input_channels: usize) -> usize {
    input_channels.div_ceil(4) * 2
}

/// Words of one group.
pub const fn group_words(input_channels: usize) -> usize {
    POSITIONS * CHANNELS * position_words(input_channels) + 2 * CHANNELS
}

/// Words of a stream.
pub const fn stream_words(channels: usize, input_channels: usize) -> usize {
    channels.div_ceil(CHANNELS).saturating_mul(group_words(input_channels))
}

/// Packs a 3×3 convolution of that many input channels.
pub fn pack(plain: &Plain<'_>, input_channels: usize, mut push: impl FnMut(u32)) {
    for first in (0..plain.bias.len()).step_by(CHANNELS) {
        let channels = first..first + CHANNELS;
        for position in 0..POSITIONS {
            for column in (0..input_channels).step_by(4) {
                for half in 0..2 {
                    let weight = |channel: usize, input: usize| {
                        let tap = |y: usize, x: usize| plain.weight(channel, (y * SIDE + x) * input_channels + input);
                        if input < input_channels {
                            transformed(position, tap)
                        } else {
                            0
                        }
                    };
                    channels
                        .clone()
                        .for_each(|channel| push(quad(column, |input| weight(channel, input))[half]));
                }
            }
        }
        channels.clone().for_each(|channel| push(plain.bias(channel)));
        channels.for_each(|channel| push(plain.multiplier(channel)));
    }
}

/// One position of `(2G) g (2G)ᵀ`; rows of `2G` are `(2, 0, 0)`, `(1, 1, 1)`, `(1, −1, 1)`, `(0, 0, 2)`.
fn transformed(position: usize, tap: impl Fn(usize, usize) -> i32) -> i32 {
    let row = |row: usize, [a, b, c]: [i32; SIDE]| match row {
        0 => 2 * a,
        1 => a + b + c,
        2 => a - b + c,
        _ => 2 * c,
    };
    let (y, x) = (position / INPUTS, position % INPUTS);
    row(
        x,
        [0, 1, 2].map(|column| row(y, [0, 1, 2].map(|line| tap(line, column)))),
    )
}
