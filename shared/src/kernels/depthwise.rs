//! Convolution of each channel with itself.

use super::conv2d::Window;
use super::inside;
use crate::arithmetic::Requantize;
use crate::spec::Shape;

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
        for (channel, out) in pixel.iter_mut().enumerate() {
            let mut sum = bias[channel];
            for ky in 0..window.kernel {
                for kx in 0..window.kernel {
                    let code = if (top..bottom).contains(&ky) && (left..right).contains(&kx) {
                        codes[((in_y + ky - top) * width + in_x + kx - left) * channels + channel]
                    } else {
                        window.pad_code
                    };
                    let weight = weights[(ky * window.kernel + kx) * channels + channel];
                    sum += i32::from(code) * i32::from(weight);
                }
            }
            *out = requantize.apply(sum, channel);
        }
    }
}
