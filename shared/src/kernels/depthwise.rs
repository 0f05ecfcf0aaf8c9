//! Convolution of each channel with itself.

use super::micro::{Border, depthwise as micro, portable};
use super::{Rows, Weighted};
use crate::arithmetic::requantize;
use crate::layout::depthwise::{CHANNELS, SIDE, doubled_words};
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

/// Windows of 3×3, four channels at a time.
///
/// # Shapes
/// `stream` of `c` channels, a multiple of four; `out[rows][output.w][c]`.
pub fn depthwise3x3(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let (window, output) = (&layer.window, layer.output);
    let padding = [input.pad_code; CHANNELS];
    let columns = columns(window.stride, output);
    let right = (columns - window.pad_left).saturating_sub(input.shape.w.into());
    let border = Border {
        code: input.pad_code,
        left: window.pad_left,
        right,
    };
    let words = &mut scratch[..columns * COLUMN3_WORDS];
    for (row, out) in (layer.row..).zip(out.chunks_exact_mut(layer.row_len())) {
        micro::row3x3(
            layer.stream,
            input.quads(window.top(row), &padding),
            &border,
            words,
            (window.stride, layer.zero_point),
            (out, output.w.into()),
        );
    }
}

/// Words of scratch memory of [`doubled3x3`]: columns of both phases.
pub const fn doubled_scratch_words(input: Shape) -> usize {
    2 * (input.w as usize + 2) * COLUMN2_WORDS
}

/// Windows of 3×3 over doubled pixels, four channels at a time; rows two by two, the first an even one.
///
/// # Shapes
/// `stream` of `c` channels, a multiple of four; `out[rows][2 · input.w][c]`.
pub fn doubled3x3(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let padding = [input.pad_code; CHANNELS];
    let words = &mut scratch[..doubled_scratch_words(input.shape)];
    let streams = layer.stream.split_at(doubled_words(input.channels()));
    let rows = out.chunks_exact_mut(2 * layer.row_len());
    for (out, top) in rows.zip(layer.row / 2..) {
        let lines = input.quads(top as isize - 1, &padding);
        let out = (out, input.shape.w.into());
        micro::doubled_rows3x3(streams.into(), lines, input.pad_code, words, layer.zero_point, out);
    }
}

/// Words of a stream of [`depthwise`].
pub const fn plain_words(kernel: usize, channels: usize) -> usize {
    (kernel * kernel * channels).div_ceil(4) + 2 * channels
}

/// Windows of any side, one channel after the other.
///
/// # Shapes
/// `stream` of [`plain_words`]; `out[rows][output.w][c]`.
pub fn depthwise(input: &Rows<'_>, layer: &Weighted<'_>, out: &mut [i8]) {
    for (row, out) in (layer.row..).zip(out.chunks_exact_mut(layer.row_len())) {
        plain_row(input, &Weighted { row, ..*layer }, out);
    }
}

fn plain_row(input: &Rows<'_>, layer: &Weighted<'_>, out: &mut [i8]) {
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

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::super::Window;
    use super::*;
    use crate::layout::Plain;
    use crate::layout::depthwise::{pack_doubled, pack_windows};

    const CHANNELS: usize = 8;

    /// Bytes of a linear congruential generator.
    fn bytes(seed: u32) -> impl FnMut() -> i8 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as i8
        }
    }

    struct Case {
        weights: Vec<i8>,
        bias: Vec<i32>,
        multipliers: Vec<i32>,
    }

    impl Case {
        fn new(mut byte: impl FnMut() -> i8) -> Self {
            Self {
                weights: (0..9 * CHANNELS).map(|_| byte().max(-127)).collect(),
                bias: (0..CHANNELS).map(|_| i32::from(byte()) * 100).collect(),
                multipliers: (0..CHANNELS).map(|_| 10_000_000 + i32::from(byte()) * 50_000).collect(),
            }
        }

        fn plain(&self) -> Plain<'_> {
            Plain {
                weights: &self.weights,
                bias: &self.bias,
                multipliers: &self.multipliers,
            }
        }

        /// As [`depthwise`] reads them.
        fn stream(&self) -> Vec<u32> {
            let weights = self
                .weights
                .chunks_exact(4)
                .map(|four| bytemuck::pod_read_unaligned(bytemuck::cast_slice(four)));
            weights
                .chain(self.bias.iter().chain(&self.multipliers).map(|&word| word as u32))
                .collect()
        }
    }

    fn rows(codes: &[i8], h: usize, w: usize) -> Rows<'_> {
        Rows {
            codes,
            shape: shape(h, w),
            kept: h as u16,
            pad_code: -9,
        }
    }

    fn shape(h: usize, w: usize) -> Shape {
        Shape {
            h: h as u16,
            w: w as u16,
            c: CHANNELS as u16,
        }
    }

    #[test]
    fn windows_of_three_are_windows_of_any_side() {
        let mut byte = bytes(1);
        for (h, w, stride) in [(1, 1, 1), (5, 7, 1), (6, 8, 1), (1, 1, 2), (5, 7, 2), (6, 8, 2)] {
            let codes: Vec<i8> = (0..h * w * CHANNELS).map(|_| byte()).collect();
            let case = Case::new(&mut byte);
            let (mut packed, stream) = (vec![], case.stream());
            pack_windows(&case.plain(), |word| packed.push(word));
            let output = shape(h.div_ceil(stride), w.div_ceil(stride));
            let pad = |n: usize| ((n.div_ceil(stride) - 1) * stride + 3 - n) / 2;
            let mut scratch = vec![0; scratch_words(stride, output)];
            for row in 0..output.h.into() {
                let mut layer = Weighted {
                    stream: &packed,
                    zero_point: 3,
                    window: Window {
                        kernel: 3,
                        stride,
                        pad_top: pad(h),
                        pad_left: pad(w),
                    },
                    output,
                    row,
                };
                let mut out = vec![0; usize::from(output.w) * CHANNELS];
                let mut expected = out.clone();
                depthwise3x3(&rows(&codes, h, w), &layer, &mut scratch, &mut out);
                layer.stream = &stream;
                depthwise(&rows(&codes, h, w), &layer, &mut expected);
                assert_eq!(out, expected, "row {row} of {h}×{w} by {stride}");
            }
        }
    }

    #[test]
    fn doubled_pixels_need_no_doubled_picture() {
        let mut byte = bytes(2);
        for (h, w) in [(1, 1), (3, 2), (4, 5)] {
            let codes: Vec<i8> = (0..h * w * CHANNELS).map(|_| byte()).collect();
            let pixel = |y: usize, x: usize| &codes[(y / 2 * w + x / 2) * CHANNELS..][..CHANNELS];
            let doubled: Vec<i8> = (0..4 * h * w)
                .flat_map(|index| pixel(index / (2 * w), index % (2 * w)))
                .copied()
                .collect();
            let case = Case::new(&mut byte);
            let (mut packed, stream) = (vec![], case.stream());
            pack_doubled(&case.plain(), |word| packed.push(word));
            let mut scratch = vec![0; doubled_scratch_words(shape(h, w))];
            for row in (0..2 * h).step_by(2) {
                let mut layer = Weighted {
                    stream: &packed,
                    zero_point: 3,
                    window: Window {
                        kernel: 3,
                        stride: 1,
                        pad_top: 1,
                        pad_left: 1,
                    },
                    output: shape(2 * h, 2 * w),
                    row,
                };
                let mut out = vec![0; 4 * w * CHANNELS];
                doubled3x3(&rows(&codes, h, w), &layer, &mut scratch, &mut out);
                layer.stream = &stream;
                for (line, out) in out.chunks_exact(2 * w * CHANNELS).enumerate() {
                    layer.row = row + line;
                    let mut expected = vec![0; out.len()];
                    depthwise(&rows(&doubled, 2 * h, 2 * w), &layer, &mut expected);
                    assert_eq!(out, expected, "row {} of {h}×{w}", layer.row);
                }
            }
        }
    }
}
