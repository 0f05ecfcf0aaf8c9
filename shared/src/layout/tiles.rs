//! 16-bit weights of four output channels side by side, for two pixels at a time.
//!
//! ```text
//! group    bias₀ … bias₃ · weights · q₀ … q₃
//! weights  per word of columns, (k, k+2) and (k+1, k+3) of each four: that word of channel 0, 1, 2, 3
//! ```
//!
//! A window's columns are its rows in turn, each filled up to a multiple of four.

use super::{Plain, quad};

/// Output channels of a group.
pub const CHANNELS: usize = 4;
/// Pixels of a tile.
pub const PIXELS: usize = 2;

/// Words of one pixel's window of `segments` rows of `segment` codes.
pub const fn window_words(segments: usize, segment: usize) -> usize {
    segments.saturating_mul(segment.div_ceil(4) * 2)
}

/// Words of a stream for so many channels, each of `window_words`.
pub const fn stream_words(channels: usize, window_words: usize) -> usize {
    channels.div_ceil(CHANNELS).saturating_mul(group_words(window_words))
}

/// Words of one group.
pub const fn group_words(window_words: usize) -> usize {
    window_words.saturating_mul(CHANNELS).saturating_add(2 * CHANNELS)
}

/// Packs a layer whose windows have rows of `segment` columns.
pub fn pack(plain: &Plain<'_>, segment: usize, mut push: impl FnMut(u32)) {
    let segments = plain.columns() / segment;
    for first in (0..plain.bias.len()).step_by(CHANNELS) {
        let channels = first..first + CHANNELS;
        channels.clone().for_each(|channel| push(plain.bias(channel)));
        for row in 0..segments {
            for column in (0..segment).step_by(4) {
                let inside = |channel: usize, column: usize| {
                    if column < segment {
                        plain.weight(channel, row * segment + column)
                    } else {
                        0
                    }
                };
                for half in 0..2 {
                    channels
                        .clone()
                        .for_each(|channel| push(quad(column, |column| inside(channel, column))[half]));
                }
            }
        }
        channels.for_each(|channel| push(plain.multiplier(channel)));
    }
}
