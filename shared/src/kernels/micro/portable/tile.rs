//! Two pixels times four output channels at a time; weights as in [`layout::tiles`](crate::layout::tiles).

use super::super::Windows;
#[cfg(any(test, not(target_arch = "x86_64")))]
use super::dual;
use super::{requantize, widened};
use crate::layout::tiles::{CHANNELS, PIXELS, window_words};

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

/// How many codes [`row`] reads in front of a first window, of lines whose windows have `segment` codes and stand `step` apart.
pub const fn codes_before(_lines: usize, _segment: usize, _step: usize) -> usize {
    0
}

/// Codes of all output channels of pairs of windows, each widened to `x`.
///
/// A pixel is written in whole groups, one pixel after the other: what a group has beyond the `channels`, the next pixel
/// overwrites, and the last pixel leaves behind it.
///
/// # Shapes
/// `x`: room for [`PIXELS`] windows; `stream`: one group per [`CHANNELS`] output channels begun; `out[pixels][channels]`, of channels that are
/// fewer than a group, or a multiple of one.
pub fn row(stream: &[u32], windows: &Windows<'_>, x: &mut [u32], zero_point: i8, (out, channels): (&mut [i8], usize)) {
    let segment = windows.segment;
    let line_words = PIXELS * window_words(1, segment);
    let x = &mut x[..windows.lines.len() * line_words];
    for pair in 0..windows.pairs {
        for (line, x) in windows.lines.iter().zip(x.chunks_exact_mut(line_words)) {
            let codes = |pixel: usize| &line.codes[line.first + (PIXELS * pair + pixel) * line.step..][..segment];
            widen([codes(0), codes(1)], x);
        }
        let out = &mut out[PIXELS * pair * channels..];
        if channels >= CHANNELS {
            let (first, rest) = out.split_at_mut(channels);
            codes(stream, x, zero_point, [first, &mut rest[..channels]]);
        } else {
            let mut tile = [[0; CHANNELS]; PIXELS];
            let [first, second] = &mut tile;
            codes(stream, x, zero_point, [first, second]);
            for (pixel, tile) in tile.iter().enumerate() {
                out[pixel * channels..][..CHANNELS].copy_from_slice(tile);
            }
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

#[cfg(target_arch = "x86_64")]
use super::wide::products;
#[cfg(not(target_arch = "x86_64"))]
use plain_products as products;

/// Adds the products of two pixels with four channels.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
pub(super) fn plain_products(
    weights: &[u32],
    x: &[u32],
    mut sums: [[i32; CHANNELS]; PIXELS],
) -> [[i32; CHANNELS]; PIXELS] {
    for (x, weights) in x.chunks_exact(PIXELS).zip(weights.chunks_exact(CHANNELS)) {
        for channel in 0..CHANNELS {
            sums[0][channel] = dual(sums[0][channel], x[0], weights[channel]);
            sums[1][channel] = dual(sums[1][channel], x[1], weights[channel]);
        }
    }
    sums
}
