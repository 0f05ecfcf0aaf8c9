//! Weighted sums of all inputs.

use super::{LANES, dots};
use crate::arithmetic::Requantize;

/// `out[i] = requantize(bias[i] + Σ weights[i][j] · codes[j])`.
///
/// # Shapes
/// `codes[n]`, `weights[out][n]`, `bias[out]`, `out[out]`.
pub fn linear(codes: &[i8], weights: &[i8], bias: &[i32], requantize: &Requantize<'_>, out: &mut [i8]) {
    for (group, out) in out.chunks_mut(LANES).enumerate() {
        let first = group * LANES;
        let sums = sums(codes, weights, bias, first, out.len());
        for (channel, (out, sum)) in (first..).zip(out.iter_mut().zip(sums)) {
            *out = requantize.apply(sum, channel);
        }
    }
}

/// `out[i] = bias[i] + Σ weights[i][j] · codes[j]`, kept whole for a head's last layer.
///
/// # Shapes
/// As [`linear`].
pub fn linear_sums(codes: &[i8], weights: &[i8], bias: &[i32], out: &mut [i32]) {
    for (group, out) in out.chunks_mut(LANES).enumerate() {
        out.iter_mut()
            .zip(sums(codes, weights, bias, group * LANES, LANES))
            .for_each(|(out, sum)| *out = sum);
    }
}

/// Sums of the channels from `first` on; those beyond the last of `count` or of all repeat that one.
#[inline(always)]
fn sums(codes: &[i8], weights: &[i8], bias: &[i32], first: usize, count: usize) -> [i32; LANES] {
    let last = bias.len().min(first + count) - 1;
    let lanes: [usize; LANES] = core::array::from_fn(|lane| last.min(first + lane));
    let products = dots(
        codes,
        lanes.map(|channel| &weights[channel * codes.len()..][..codes.len()]),
    );
    core::array::from_fn(|lane| bias[lanes[lane]] + products[lane])
}
