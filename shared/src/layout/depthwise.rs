//! Weights of 3×3 windows of one channel each, four channels side by side.
//!
//! ```text
//! window   per channel: (w₀₀, w₁₀) (w₀₁, w₁₁) (w₀₂, w₁₂) (w₂₀, w₂₁) (w₂₂, 0) bias q         first index the window's row
//! doubled  per channel and row phase: (u₀₀, u₁₀) (u₀₁, u₁₁) of even columns, the same of odd ones, bias, q
//! ```
//!
//! *Doubled*: the window slides over a picture whose pixels are doubled in both directions, and therefore sees 2×2 pixels, which of them
//! depends on whether it stands on an even or an odd row and column: its *phase*. Weights that see the same pixel are added up.
//! A stream of doubled windows holds all channels of the even row phase, then those of the odd.

use super::{Plain, word};

/// Channels that are packed side by side.
pub const CHANNELS: usize = 4;
/// Words of one channel's window.
pub const WINDOW_WORDS: usize = 7;
/// Words of one channel's windows over doubled pixels, in one row phase.
pub const DOUBLED_WORDS: usize = 6;
/// Side of the window.
pub const SIDE: usize = 3;

/// Words of a stream of 3×3 windows.
pub const fn window_words(channels: usize) -> usize {
    channels.next_multiple_of(CHANNELS) * WINDOW_WORDS
}

/// Words of a stream of windows over doubled pixels, per row phase.
pub const fn doubled_words(channels: usize) -> usize {
    channels.next_multiple_of(CHANNELS) * DOUBLED_WORDS
}

/// The rows, or columns, of a 3×3 window that see the first and the second of the two pixels of a phase.
pub const fn seen(phase: usize) -> [core::ops::Range<usize>; 2] {
    if phase == 0 { [0..1, 1..3] } else { [0..2, 2..3] }
}

/// Packs 3×3 windows.
pub fn pack_windows(plain: &Plain<'_>, mut push: impl FnMut(u32)) {
    let channels = plain.bias.len();
    for channel in 0..channels.next_multiple_of(CHANNELS) {
        let w = |y: usize, x: usize| weight(plain, channel, y, x);
        (0..SIDE).for_each(|x| push(word(w(0, x), w(1, x))));
        push(word(w(2, 0), w(2, 1)));
        push(word(w(2, 2), 0));
        push(plain.bias(channel));
        push(plain.multiplier(channel));
    }
}

/// Packs 3×3 windows over doubled pixels.
pub fn pack_doubled(plain: &Plain<'_>, mut push: impl FnMut(u32)) {
    let channels = plain.bias.len();
    for row_phase in 0..2 {
        for channel in 0..channels.next_multiple_of(CHANNELS) {
            for columns in seen(0).into_iter().chain(seen(1)) {
                let [upper, lower] = seen(row_phase).map(|rows| {
                    let column = |y: usize| columns.clone().map(|x| weight(plain, channel, y, x)).sum::<i32>();
                    rows.map(column).sum::<i32>()
                });
                push(word(upper, lower));
            }
            push(plain.bias(channel));
            push(plain.multiplier(channel));
        }
    }
}

fn weight(plain: &Plain<'_>, channel: usize, y: usize, x: usize) -> i32 {
    let channels = plain.bias.len();
    if channel < channels {
        i32::from(plain.weights[(y * SIDE + x) * channels + channel])
    } else {
        0
    }
}
