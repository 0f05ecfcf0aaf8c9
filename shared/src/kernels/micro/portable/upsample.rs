//! Three output channels of every second pixel of a picture with every pixel doubled; weights as in
//! [`layout::upsample`](crate::layout::upsample).

#[cfg(any(test, not(target_arch = "x86_64")))]
use super::dual;
use super::requantize;
use crate::layout::upsample::{CHANNELS, group_words, phase_words};

/// A row of windows of both phases of a column: of the even ones, which begin with a pixel's left neighbour, and of the odd ones.
///
/// # Shapes
/// `stream`: the groups of one row's two phases; `rows`: widened pixels of `pixel_words` words, one more on each side than there are
/// `pixels`; `out[pixels][2][channels]`.
pub fn row(
    stream: &[u32],
    rows: [&[u32]; 2],
    pixel_words: usize,
    zero_point: i8,
    (out, channels): (&mut [i8], usize),
    pixels: usize,
) {
    let phases = stream.chunks_exact(phase_words(channels, pixel_words)).take(2);
    for (column, stream) in phases.enumerate() {
        let rows = rows.map(|row| &row[column * pixel_words..]);
        for (group, words) in stream.chunks_exact(group_words(pixel_words)).enumerate() {
            let first = group * CHANNELS;
            let count = CHANNELS.min(channels - first);
            let out = (&mut out[column * channels + first..], 2 * channels, pixels);
            windows2x2(words, rows, pixel_words, zero_point, count, out);
        }
    }
}

/// One group of up to three channels over a row of 2×2 windows.
///
/// Window `i` covers pixels `i` and `i + 1` of both rows.
///
/// # Shapes
/// `rows`: widened pixels of `pixel_words` words, one more than windows; `group`: `CHANNELS` biases, weights, `CHANNELS` multipliers;
/// `out`: `channels` codes every `pitch` bytes, `pixels` times.
// By itself it has all registers, of which a Cortex-M0 has few.
#[inline(never)]
fn windows2x2(
    group: &[u32],
    rows: [&[u32]; 2],
    pixel_words: usize,
    zero_point: i8,
    channels: usize,
    (out, pitch, pixels): (&mut [i8], usize, usize),
) {
    let (bias, rest) = group.split_at(CHANNELS);
    let (weights, multipliers) = rest.split_at(rest.len() - CHANNELS);
    let start = core::array::from_fn(|channel| bias[channel] as i32);
    for pixel in 0..pixels {
        let window = rows.map(|row| {
            let (left, right) = row[pixel * pixel_words..][..2 * pixel_words].split_at(pixel_words);
            [left, right]
        });
        let sums = products(weights, window, start);
        for channel in 0..channels {
            out[pixel * pitch + channel] = requantize(sums[channel], multipliers[channel], zero_point);
        }
    }
}

#[cfg(target_arch = "x86_64")]
use super::wide::window as products;
#[cfg(not(target_arch = "x86_64"))]
use plain_window as products;

/// Adds the products of one window, of two pixels in each row, with three channels.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
pub(super) fn plain_window(weights: &[u32], window: [[&[u32]; 2]; 2], mut sums: [i32; CHANNELS]) -> [i32; CHANNELS] {
    let mut weights = weights.chunks_exact(CHANNELS);
    for [left, right] in window {
        for (&left, &right) in left.iter().zip(right) {
            for x in [left, right] {
                let weights = weights.next().unwrap_or(&[0; CHANNELS]);
                for (sum, &weight) in sums.iter_mut().zip(weights) {
                    *sum = dual(*sum, x, weight);
                }
            }
        }
    }
    sums
}
