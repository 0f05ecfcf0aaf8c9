//! Weighted sums of all inputs.

use super::micro::{linear, narrow};
use crate::layout::rows;

/// Words of scratch memory.
pub const fn scratch_words(columns: usize) -> usize {
    rows::input_words(columns)
}

/// One code per row of the stream.
///
/// # Shapes
/// `codes[n]`; `stream` of `out.len()` rows of `n` columns, `out` filled up to whole blocks.
pub fn linear(codes: &[i8], stream: &[u32], zero_point: i8, scratch: &mut [u32], out: &mut [i8]) {
    linear::widen(codes, scratch);
    linear::codes(stream, scratch, codes.len(), zero_point, out);
}

/// [`linear()`] of few codes, which need no scratch memory.
///
/// # Shapes
/// As [`linear()`], with `n` up to [`COLUMNS`](crate::layout::narrow::COLUMNS).
pub fn narrow_linear(codes: &[i8], stream: &[u32], zero_point: i8, out: &mut [i8]) {
    narrow::codes(stream, codes, zero_point, out);
}

/// One sum per row of the stream, kept whole for a head's last layer.
///
/// # Shapes
/// As [`linear()`].
pub fn linear_sums(codes: &[i8], stream: &[u32], scratch: &mut [u32], out: &mut [i32]) {
    linear::widen(codes, scratch);
    linear::sums(stream, scratch, codes.len(), out);
}
