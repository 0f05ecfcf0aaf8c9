//! One file per operator. Shapes come from the graph; nothing here can fail, since the blob's checks have proven that shapes,
//! parameters and accumulators fit.
//!
//! Activations and weights are read in the layout `[h, w, c]`, channels innermost.

pub mod conv2d;
pub mod depthwise;
pub mod elementwise;
pub mod linear;
pub mod resample;

/// The sum of products of codes and weights.
#[inline(always)]
pub(crate) fn dot(codes: &[i8], weights: &[i8]) -> i32 {
    codes
        .iter()
        .zip(weights)
        .map(|(&code, &weight)| i32::from(code) * i32::from(weight))
        .sum()
}

/// The part of a window that lies inside a side of `n`: first and one past the last tap, and the position of the first.
#[inline(always)]
pub(crate) fn inside(out: usize, stride: usize, pad: usize, kernel: usize, n: usize) -> (usize, usize, usize) {
    let start = out * stride;
    let first = pad.saturating_sub(start);
    let last = kernel.min((n + pad).saturating_sub(start));
    (first.min(last), last, (start + first).saturating_sub(pad))
}
