//! Convolution of each channel with itself.

use super::conv2d::Window;
use super::inside;
use crate::arithmetic::Requantize;
use crate::spec::Shape;

/// How many channels are summed at a time: their sums stay on the stack while the window's taps go by.
const BLOCK: usize = 16;

/// One depthwise convolution; padding counts as in [`conv2d`](super::conv2d::conv2d).
///
/// # Shapes
/// `codes[input]`, `weights[kernel][kernel][c]`, `bias[c]`, `out[output]`; both have `c` channels.
pub fn depthwise(
    (codes, input): (&[i8], Shape),
    window: &Window,
    weights: &[i8],
    bias: &[i32],
    requantize: &Requantize<'_>,
    (out, output): (&mut [i8], Shape),
) {
    let (width, channels) = (usize::from(input.w), usize::from(input.c));
    for (index, pixel) in out.chunks_exact_mut(channels).enumerate() {
        let (y, x) = (index / usize::from(output.w), index % usize::from(output.w));
        let (top, bottom, in_y) = inside(y, window.stride, window.pad_top, window.kernel, input.h.into());
        let (left, right, in_x) = inside(x, window.stride, window.pad_left, window.kernel, width);
        for (block, out) in pixel.chunks_mut(BLOCK).enumerate() {
            let first = block * BLOCK;
            let mut sums = [0; BLOCK];
            let sums = &mut sums[..out.len()];
            sums.copy_from_slice(&bias[first..first + sums.len()]);
            for tap in 0..window.kernel * window.kernel {
                let (ky, kx) = (tap / window.kernel, tap % window.kernel);
                let weights = &weights[tap * channels + first..][..sums.len()];
                if (top..bottom).contains(&ky) && (left..right).contains(&kx) {
                    let start = ((in_y + ky - top) * width + in_x + kx - left) * channels + first;
                    let codes = &codes[start..start + sums.len()];
                    for ((sum, &code), &weight) in sums.iter_mut().zip(codes).zip(weights) {
                        *sum += i32::from(code) * i32::from(weight);
                    }
                } else {
                    for (sum, &weight) in sums.iter_mut().zip(weights) {
                        *sum += i32::from(window.pad_code) * i32::from(weight);
                    }
                }
            }
            for (channel, (out, &sum)) in (first..).zip(out.iter_mut().zip(sums.iter())) {
                *out = requantize.apply(sum, channel);
            }
        }
    }
}
