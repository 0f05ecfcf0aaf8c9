//! Convolution of each channel with itself.

use super::micro::{Border, depthwise as micro, portable};
use super::{Rows, Window};
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
pub fn depthwise3x3(
    input: &Rows<'_>,
    window: &Window,
    stream: &[u32],
    zero_point: i8,
    scratch: &mut [u32],
    (out, output, row): (&mut [i8], Shape, usize),
) {
    let channels = input.channels();
    let padding = [input.pad_code; CHANNELS];
    let columns = columns(window.stride, output);
    let right = (columns - window.pad_left).saturating_sub(input.shape.w.into());
    let border = Border {
        code: input.pad_code,
        left: window.pad_left,
        right,
    };
    let words = &mut scratch[..columns * COLUMN3_WORDS];
    for (block, weights) in stream.as_chunks::<{ CHANNELS * WINDOW_WORDS }>().0.iter().enumerate() {
        let first = block * CHANNELS;
        let top = window.top(row);
        let rows = [0, 1, 2].map(|line| input.quads(top + line, first, &padding));
        micro::columns3(rows, &border, words);
        micro::window3x3(
            weights,
            words,
            window.stride,
            zero_point,
            (&mut out[first..], channels, output.w.into()),
        );
    }
}

/// Words of scratch memory of [`doubled3x3`]: columns of both phases.
pub const fn doubled_scratch_words(input: Shape) -> usize {
    2 * (input.w as usize + 2) * COLUMN2_WORDS
}

/// Two rows of windows of 3×3 over doubled pixels, four channels at a time.
///
/// # Shapes
/// `stream` of `c` channels, a multiple of four; `out[2][2 · input.w][c]`; `row` is the even one.
pub fn doubled3x3(
    input: &Rows<'_>,
    stream: &[u32],
    zero_point: i8,
    scratch: &mut [u32],
    (out, row): (&mut [i8], usize),
) {
    let channels = input.channels();
    let pixels = usize::from(input.shape.w);
    let padding = [input.pad_code; CHANNELS];
    let words = &mut scratch[..doubled_scratch_words(input.shape)];
    let top = (row / 2) as isize - 1;
    let (upper, lower) = stream.split_at(doubled_words(channels));
    let streams = [upper, lower].map(|stream| stream.as_chunks::<{ CHANNELS * DOUBLED_WORDS }>().0);
    let (upper, lower) = out.split_at_mut(2 * pixels * channels);
    for (block, (even, odd)) in streams[0].iter().zip(streams[1]).enumerate() {
        let first = block * CHANNELS;
        let rows = [0, 1, 2].map(|line| input.quads(top + line, first, &padding));
        micro::columns2(rows, input.pad_code, words);
        let (columns, more) = words.split_at(words.len() / 2);
        micro::doubled3x3(even, columns, zero_point, (&mut upper[first..], channels, pixels));
        micro::doubled3x3(odd, more, zero_point, (&mut lower[first..], channels, pixels));
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
pub fn depthwise(input: &Rows<'_>, window: &Window, stream: &[u32], zero_point: i8, (out, row): (&mut [i8], usize)) {
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
