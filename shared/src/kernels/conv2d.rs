//! Convolution over all channels.

use super::{LANES, dots, inside};
use crate::arithmetic::Requantize;
use crate::spec::Shape;

/// Where a square window stands: side, step, and padding above and to the left.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Side, in pixels.
    pub kernel: usize,
    /// Step, in pixels.
    pub stride: usize,
    /// Rows of padding above.
    pub pad_top: usize,
    /// Columns of padding to the left.
    pub pad_left: usize,
    /// The code that padding holds: the input's zero point.
    pub pad_code: i8,
}

/// One convolution. The bias has the input's zero point folded in for the whole window, so that a padded tap counts as its
/// weight times [`Window::pad_code`].
///
/// # Shapes
/// `codes[input]`, `weights[output.c][kernel][kernel][input.c]`, `bias[output.c]`, `out[output]`.
pub fn conv2d(
    (codes, input): (&[i8], Shape),
    window: &Window,
    weights: &[i8],
    bias: &[i32],
    requantize: &Requantize<'_>,
    (out, output): (&mut [i8], Shape),
) {
    let (width, channels) = (usize::from(input.w), usize::from(input.c));
    let row_len = window.kernel * channels;
    let filter_len = window.kernel * row_len;
    let pixels = out.chunks_exact_mut(usize::from(output.c));
    for (index, pixel) in pixels.enumerate() {
        let (y, x) = (index / usize::from(output.w), index % usize::from(output.w));
        let (top, bottom, in_y) = inside(y, window.stride, window.pad_top, window.kernel, input.h.into());
        let (left, right, in_x) = inside(x, window.stride, window.pad_left, window.kernel, width);
        let whole = bottom - top == window.kernel && right - left == window.kernel;
        let taps = left * channels..right * channels;
        for (group, out) in pixel.chunks_mut(LANES).enumerate() {
            let first = group * LANES;
            // A last group of fewer channels computes its last one several times and keeps it once.
            let lanes: [usize; LANES] = core::array::from_fn(|lane| first + lane.min(out.len() - 1));
            let mut sums = lanes.map(|channel| bias[channel]);
            for ky in top..bottom {
                let start = ((in_y + ky - top) * width + in_x) * channels;
                let row = |channel: usize| &weights[channel * filter_len + ky * row_len..][taps.clone()];
                let products = dots(&codes[start..start + taps.len()], lanes.map(row));
                sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
            }
            for (out, (channel, mut sum)) in out.iter_mut().zip(lanes.into_iter().zip(sums)) {
                if !whole {
                    let filter = &weights[channel * filter_len..][..filter_len];
                    sum += i32::from(window.pad_code) * outside(filter, row_len, top..bottom, taps.clone());
                }
                *out = requantize.apply(sum, channel);
            }
        }
    }
}

/// The sum of a filter's weights that fall on padding.
fn outside(filter: &[i8], row_len: usize, rows: core::ops::Range<usize>, taps: core::ops::Range<usize>) -> i32 {
    let total = |weights: &[i8]| weights.iter().map(|&weight| i32::from(weight)).sum::<i32>();
    filter
        .chunks_exact(row_len)
        .enumerate()
        .map(|(ky, row)| {
            if rows.contains(&ky) {
                total(&row[..taps.start]) + total(&row[taps.end..])
            } else {
                total(row)
            }
        })
        .sum()
}
