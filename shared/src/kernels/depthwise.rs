//! Convolution of each channel with itself.

use super::micro::{depthwise as micro, portable};
use super::{Rows, Weighted};
use crate::arithmetic::requantize;
use crate::layout::depthwise::{CHANNELS, DOUBLED_WORDS, SIDE, WINDOW_WORDS, doubled_words};
use crate::spec::Shape;

use portable::depthwise::{COLUMN2_WORDS, COLUMN3_WORDS};

/// Words of scratch memory of [`depthwise3x3`].
pub const fn scratch_words(stride: usize, output: Shape) -> usize {
    columns(stride, output) * COLUMN3_WORDS
}

/// Columns that a row of windows covers.
const fn columns(stride: usize, output: Shape) -> usize {
    (output.w as usize - 1) * stride + SIDE
}

/// One row of windows of 3×3, four channels at a time.
///
/// # Shapes
/// `stream` of `c` channels, a multiple of four; `out[output.w][c]`.
pub fn depthwise3x3(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let (window, output, row) = (&layer.window, layer.output, layer.row);
    let (stream, zero_point) = (layer.stream, layer.zero_point);
    let channels = input.channels();
    let padding = [input.pad_code; CHANNELS];
    let words = &mut scratch[..columns(window.stride, output) * COLUMN3_WORDS];
    let blocks = stream.as_chunks::<{ CHANNELS * WINDOW_WORDS }>().0.iter();
    for (block, weights) in blocks.take(channels / CHANNELS).enumerate() {
        let first = block * CHANNELS;
        let top = window.top(row);
        let rows = [0, 1, 2].map(|line| input.quads(top + line, first, &padding));
        let filled = |words: &mut [u32]| {
            micro::columns3(
                [super::micro::Quads {
                    codes: &padding,
                    pitch: 0,
                }; 3],
                words,
            );
        };
        let (left, rest) = words.split_at_mut(window.pad_left * COLUMN3_WORDS);
        let inside = usize::from(input.shape.w).min(rest.len() / COLUMN3_WORDS);
        let (middle, right) = rest.split_at_mut(inside * COLUMN3_WORDS);
        filled(left);
        micro::columns3(rows, middle);
        filled(right);
        micro::window3x3(
            weights,
            words,
            window.stride,
            zero_point,
            (&mut out[first..], channels, output.w.into()),
        );
    }
}

/// Words of scratch memory of [`doubled3x3`].
pub const fn doubled_scratch_words(input: Shape) -> usize {
    (input.w as usize + 2) * COLUMN2_WORDS
}

/// Two rows of windows of 3×3 over doubled pixels, four channels at a time.
///
/// # Shapes
/// `stream` of `c` channels, a multiple of four; `out[2][2 · input.w][c]`; `row` is the even one.
pub fn doubled3x3(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let (stream, zero_point, row) = (layer.stream, layer.zero_point, layer.row);
    let channels = input.channels();
    let pixels = usize::from(input.shape.w);
    let padding = [input.pad_code; CHANNELS];
    let border = super::micro::Quads {
        codes: &padding,
        pitch: 0,
    };
    let words = &mut scratch[..(pixels + 2) * COLUMN2_WORDS];
    let phases = stream
        .chunks_exact(doubled_words(channels))
        .zip(out.chunks_exact_mut(2 * pixels * channels));
    for (phase, (stream, out)) in phases.enumerate() {
        let top = (row / 2 + phase) as isize - 1;
        for (block, weights) in stream.as_chunks::<{ CHANNELS * DOUBLED_WORDS }>().0.iter().enumerate() {
            let first = block * CHANNELS;
            let rows = [0, 1].map(|line| input.quads(top + line, first, &padding));
            let (left, rest) = words.split_at_mut(COLUMN2_WORDS);
            let (middle, right) = rest.split_at_mut(pixels * COLUMN2_WORDS);
            micro::columns2([border; 2], left);
            micro::columns2(rows, middle);
            micro::columns2([border; 2], right);
            micro::doubled3x3(weights, words, zero_point, (&mut out[first..], channels, pixels));
        }
    }
}

/// Bytes of a stream of [`depthwise`].
pub const fn plain_words(kernel: usize, channels: usize) -> usize {
    (kernel * kernel * channels).div_ceil(4) + 2 * channels
}

/// One row of windows of any side, one channel after the other.
///
/// # Shapes
/// `stream` of [`plain_words`]; `out[output.w][c]`.
pub fn depthwise(input: &Rows<'_>, layer: &Weighted<'_>, out: &mut [i8]) {
    let (window, row) = (&layer.window, layer.row);
    let (stream, zero_point) = (layer.stream, layer.zero_point);
    let channels = input.channels();
    let weight_words = (window.kernel * window.kernel * channels).div_ceil(4);
    let (weights, words) = stream.split_at(weight_words);
    let weights: &[i8] = bytemuck::cast_slice(weights);
    let (bias, multipliers) = words.split_at(channels);
    for (column, pixel) in out.chunks_exact_mut(channels).enumerate() {
        for (channel, out) in pixel.iter_mut().enumerate() {
            let mut sum = bias[channel] as i32;
            for tap in 0..window.kernel * window.kernel {
                let (y, x) = (tap / window.kernel, tap % window.kernel);
                let x = window.left(column) + x as isize;
                let inside = (0..input.shape.w as isize).contains(&x);
                let code = match input.row(window.top(row) + y as isize) {
                    Some(row) if inside => row[x as usize * channels + channel],
                    _ => input.pad_code,
                };
                sum = sum.wrapping_add(i32::from(code) * i32::from(weights[tap * channels + channel]));
            }
            *out = requantize(sum, multipliers[channel] as i32, zero_point);
        }
    }
}
