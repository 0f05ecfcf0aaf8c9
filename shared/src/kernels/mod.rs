//! One file per operator. Shapes come from the graph; nothing here can fail, since the blob's checks have proven that shapes,
//! parameters and accumulators fit.
//!
//! Activations and weights are read in the layout `[h, w, c]`, channels innermost.

pub mod conv2d;
pub mod depthwise;
pub mod elementwise;
pub mod linear;
pub mod micro;
pub mod resample;

/// How many output channels share one pass over the codes.
pub(crate) const LANES: usize = 4;

/// Sums of products of the same codes with [`LANES`] rows of weights, each as long as the codes.
#[inline(always)]
pub(crate) fn dots(codes: &[i8], rows: [&[i8]; LANES]) -> [i32; LANES] {
    let [a, b, c, d] = rows;
    let mut sums = [0; LANES];
    for ((((&code, &a), &b), &c), &d) in codes.iter().zip(a).zip(b).zip(c).zip(d) {
        let code = i32::from(code);
        sums[0] += code * i32::from(a);
        sums[1] += code * i32::from(b);
        sums[2] += code * i32::from(c);
        sums[3] += code * i32::from(d);
    }
    sums
}

/// The part of a window that lies inside a side of `n`: first and one past the last tap, and the position of the first.
#[inline(always)]
pub(crate) fn inside(out: usize, stride: usize, pad: usize, kernel: usize, n: usize) -> (usize, usize, usize) {
    let start = out * stride;
    let first = pad.saturating_sub(start);
    let last = kernel.min((n + pad).saturating_sub(start));
    (first.min(last), last, (start + first).saturating_sub(pad))
}
