//! Two pixels times four output channels at a time; weights as in [`layout::tiles`](crate::layout::tiles).

use super::{dual, requantize, widened};
use crate::layout::tiles::{CHANNELS, PIXELS};

/// Widens the codes of two pixels for [`codes`] and [`sums`], word by word in turn; what is missing to whole quads counts as zero.
///
/// # Shapes
/// `out`: four words per quad of the longer; `codes` are of the same length.
pub fn widen(codes: [&[i8]; PIXELS], out: &mut [u32]) {
    for ((first, second), out) in codes[0].chunks(4).zip(codes[1].chunks(4)).zip(out.chunks_exact_mut(4)) {
        let ([a0, a1], [b0, b1]) = (widened(first), widened(second));
        out.copy_from_slice(&[a0, b0, a1, b1]);
    }
}

/// Codes of all output channels of two pixels.
///
/// # Shapes
/// `x`: from [`widen`]; `stream`: one group per [`CHANNELS`] codes of each `out`, of `x.len() / 2` words a channel.
pub fn codes(stream: &[u32], x: &[u32], zero_point: i8, [first, second]: [&mut [i8]; PIXELS]) {
    let groups = stream.chunks_exact(2 * CHANNELS + x.len() / PIXELS * CHANNELS);
    let out = first.chunks_exact_mut(CHANNELS).zip(second.chunks_exact_mut(CHANNELS));
    for (group, (first, second)) in groups.zip(out) {
        let (bias, rest) = group.split_at(CHANNELS);
        let (weights, multipliers) = rest.split_at(rest.len() - CHANNELS);
        let start = core::array::from_fn(|channel| bias[channel] as i32);
        let sums = products(weights, x, [start; PIXELS]);
        for channel in 0..CHANNELS {
            first[channel] = requantize(sums[0][channel], multipliers[channel], zero_point);
            second[channel] = requantize(sums[1][channel], multipliers[channel], zero_point);
        }
    }
}

/// Sums of products alone: the first pixel's four, then the second's.
///
/// # Shapes
/// `weights`: `x.len() / 2` words for each of four channels, word by word in turn.
pub fn sums(weights: &[u32], x: &[u32], out: &mut [i32; PIXELS * CHANNELS]) {
    let [first, second] = products(weights, x, [[0; CHANNELS]; PIXELS]);
    out[..CHANNELS].copy_from_slice(&first);
    out[CHANNELS..].copy_from_slice(&second);
}

#[inline(always)]
fn products(weights: &[u32], x: &[u32], mut sums: [[i32; CHANNELS]; PIXELS]) -> [[i32; CHANNELS]; PIXELS] {
    for (x, weights) in x.chunks_exact(PIXELS).zip(weights.chunks_exact(CHANNELS)) {
        for channel in 0..CHANNELS {
            sums[0][channel] = dual(sums[0][channel], x[0], weights[channel]);
            sums[1][channel] = dual(sums[1][channel], x[1], weights[channel]);
        }
    }
    sums
}
