//! Four channels of a row, each with its own window; weights as in [`layout::depthwise`](crate::layout::depthwise).

use super::super::{Border, Quads};
#[cfg(any(test, not(target_arch = "x86_64")))]
use super::{dual, requantize};
use super::{halves, quad, word};
use crate::layout::depthwise::{CHANNELS, DOUBLED_WORDS, WINDOW_WORDS};

/// Words per column of [`columns3`].
pub const COLUMN3_WORDS: usize = 6;
/// Words per column of [`columns2`].
pub const COLUMN2_WORDS: usize = 4;

/// A row of 3×3 windows, `stride` columns apart, four channels after the other.
///
/// # Shapes
/// `stream` of all channels; `columns`: [`COLUMN3_WORDS`] per column of the windows, those of the border included;
/// `out[pixels][c]`.
pub fn row3x3(
    stream: &[u32],
    rows: [Quads<'_>; 3],
    border: &Border,
    columns: &mut [u32],
    (stride, zero_point): (usize, i8),
    (out, pixels): (&mut [i8], usize),
) {
    let channels = out.len().checked_div(pixels).unwrap_or_default();
    let blocks = stream.as_chunks::<{ CHANNELS * WINDOW_WORDS }>().0.iter();
    for (block, weights) in blocks.take(channels / CHANNELS).enumerate() {
        let first = block * CHANNELS;
        columns3(rows.map(|row| row.at_channel(first)), border, columns);
        window3x3(
            weights,
            columns,
            stride,
            zero_point,
            (&mut out[first..], channels, pixels),
        );
    }
}

/// Two rows of 3×3 windows over doubled pixels, four channels after the other.
///
/// # Shapes
/// `streams` of all channels, for the even row and for the odd one; `columns`: twice [`COLUMN2_WORDS`] per pixel, and as much on
/// each side; `out[2][2 · pixels][c]`.
pub fn doubled_rows3x3(
    streams: [&[u32]; 2],
    rows: [Quads<'_>; 3],
    border: i8,
    columns: &mut [u32],
    zero_point: i8,
    (out, pixels): (&mut [i8], usize),
) {
    let channels = out.len().checked_div(4 * pixels).unwrap_or_default();
    let [even, odd] = streams.map(|stream| stream.as_chunks::<{ CHANNELS * DOUBLED_WORDS }>().0);
    let (upper, lower) = out.split_at_mut(2 * pixels * channels);
    for (block, (even, odd)) in even.iter().zip(odd).take(channels / CHANNELS).enumerate() {
        let first = block * CHANNELS;
        columns2(rows.map(|row| row.at_channel(first)), border, columns);
        let (columns, more) = columns.split_at(columns.len() / 2);
        doubled3x3(even, columns, zero_point, (&mut upper[first..], channels, pixels));
        doubled3x3(odd, more, zero_point, (&mut lower[first..], channels, pixels));
    }
}

/// Columns of three rows: per pixel four words `(row 0, row 1)`, one per channel, then row 2 widened.
///
/// # Shapes
/// `out`: [`COLUMN3_WORDS`] per column, those of the border included.
pub fn columns3(rows: [Quads<'_>; 3], border: &Border, out: &mut [u32]) {
    let columns = out.len() / COLUMN3_WORDS;
    let inside = border.left..columns - border.right;
    for (column, out) in out.chunks_exact_mut(COLUMN3_WORDS).enumerate() {
        if inside.contains(&column) {
            let pixel = column - border.left;
            pairs([&rows[0], &rows[1]], pixel, &mut out[..CHANNELS]);
            out[CHANNELS..].copy_from_slice(&quad(&rows[2], pixel));
        } else {
            out.fill(twice(border.code));
        }
    }
}

/// Columns of rows 0 and 1, then columns of rows 1 and 2: per pixel four words, one per channel. One column of `border` on each side.
///
/// # Shapes
/// `out`: twice [`COLUMN2_WORDS`] per column, those of the border included.
pub fn columns2(rows: [Quads<'_>; 3], border: i8, out: &mut [u32]) {
    let columns = out.len() / (2 * COLUMN2_WORDS);
    for (out, rows) in out
        .chunks_exact_mut(columns * COLUMN2_WORDS)
        .zip([[&rows[0], &rows[1]], [&rows[1], &rows[2]]])
    {
        for (column, out) in out.chunks_exact_mut(COLUMN2_WORDS).enumerate() {
            if (1..columns - 1).contains(&column) {
                pairs(rows, column - 1, out);
            } else {
                out.fill(twice(border));
            }
        }
    }
}

/// A code in both halves.
const fn twice(code: i8) -> u32 {
    word(code as i32, code as i32)
}

fn pairs(rows: [&Quads<'_>; 2], pixel: usize, out: &mut [u32]) {
    let [upper, lower] = rows.map(|row| quad(row, pixel));
    for (channel, out) in out.iter_mut().enumerate() {
        let half = |words: [u32; 2]| {
            let (low, high) = halves(words[channel % 2]);
            if channel < 2 { low } else { high }
        };
        *out = word(half(upper), half(lower));
    }
}

/// A row of 3×3 windows, `stride` columns apart.
///
/// # Shapes
/// `columns`: from [`columns3`], padding included; `out`: four codes every `pitch` bytes, `pixels` times.
pub fn window3x3(
    weights: &[u32; CHANNELS * WINDOW_WORDS],
    columns: &[u32],
    stride: usize,
    zero_point: i8,
    out: (&mut [i8], usize, usize),
) {
    windows(weights, columns, stride, zero_point, out);
}

/// A row of 3×3 windows over a picture with every pixel doubled: two 2×2 windows per column of the picture itself.
///
/// # Shapes
/// `columns`: from [`columns2`], one more on each side than there are pixels; `out`: four codes every `pitch` bytes, twice `pixels` times.
pub fn doubled3x3(
    weights: &[u32; CHANNELS * DOUBLED_WORDS],
    columns: &[u32],
    zero_point: i8,
    out: (&mut [i8], usize, usize),
) {
    doubled(weights, columns, zero_point, out);
}

#[cfg(target_arch = "x86_64")]
use super::wide::{doubled, windows};
#[cfg(not(target_arch = "x86_64"))]
use {plain_doubled as doubled, plain_windows as windows};

/// As [`window3x3`], channel by channel.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
pub(super) fn plain_windows(
    weights: &[u32; CHANNELS * WINDOW_WORDS],
    columns: &[u32],
    stride: usize,
    zero_point: i8,
    (out, pitch, pixels): (&mut [i8], usize, usize),
) {
    for (channel, weights) in weights.chunks_exact(WINDOW_WORDS).enumerate() {
        let third = |column: &[u32]| {
            let (low, high) = halves(column[CHANNELS + channel % 2]);
            if channel < 2 { low } else { high }
        };
        let ((left, middle), (right, _)) = (halves(weights[3]), halves(weights[4]));
        for pixel in 0..pixels {
            let mut sum = weights[5] as i32;
            let window = columns[pixel * stride * COLUMN3_WORDS..].chunks_exact(COLUMN3_WORDS);
            for ((column, &pair), single) in window.zip(&weights[..3]).zip([left, middle, right]) {
                sum = dual(sum, column[channel], pair).wrapping_add(third(column).wrapping_mul(single));
            }
            out[pixel * pitch + channel] = requantize(sum, weights[6], zero_point);
        }
    }
}

/// As [`doubled3x3`], channel by channel.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
pub(super) fn plain_doubled(
    weights: &[u32; CHANNELS * DOUBLED_WORDS],
    columns: &[u32],
    zero_point: i8,
    (out, pitch, pixels): (&mut [i8], usize, usize),
) {
    for (channel, weights) in weights.chunks_exact(DOUBLED_WORDS).enumerate() {
        for pixel in 0..pixels {
            let column = |number: usize| columns[(pixel + number) * COLUMN2_WORDS + channel];
            let bias = weights[4] as i32;
            let even = dual(dual(bias, column(0), weights[0]), column(1), weights[1]);
            let odd = dual(dual(bias, column(1), weights[2]), column(2), weights[3]);
            out[2 * pixel * pitch + channel] = requantize(even, weights[5], zero_point);
            out[(2 * pixel + 1) * pitch + channel] = requantize(odd, weights[5], zero_point);
        }
    }
}
