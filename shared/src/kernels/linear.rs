//! Weighted sums of all inputs.

use super::dot;
use crate::arithmetic::Requantize;

/// `out[i] = requantize(bias[i] + Σ weights[i][j] · codes[j])`.
///
/// # Shapes
/// `codes[n]`, `weights[out][n]`, `bias[out]`, `out[out]`.
pub fn linear(codes: &[i8], weights: &[i8], bias: &[i32], requantize: &Requantize<'_>, out: &mut [i8]) {
    for (channel, (out, sum)) in out.iter_mut().zip(sums(codes, weights, bias)).enumerate() {
        *out = requantize.apply(sum, channel);
    }
}

/// `out[i] = bias[i] + Σ weights[i][j] · codes[j]`, kept whole for a head's last layer.
///
/// # Shapes
/// As [`linear`].
pub fn linear_sums(codes: &[i8], weights: &[i8], bias: &[i32], out: &mut [i32]) {
    for (out, sum) in out.iter_mut().zip(sums(codes, weights, bias)) {
        *out = sum;
    }
}

fn sums<'a>(codes: &'a [i8], weights: &'a [i8], bias: &'a [i32]) -> impl Iterator<Item = i32> + 'a {
    bias.iter()
        .zip(weights.chunks_exact(codes.len()))
        .map(move |(bias, row)| bias + dot(codes, row))
}
