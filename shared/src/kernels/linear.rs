//! Weighted sums of all inputs, in the arena that holds both.

use super::micro::{Places, linear, narrow};
use crate::layout::narrow::{BLOCK, COLUMNS, row_words};
use crate::layout::rows;

/// Words of scratch memory.
pub const fn scratch_words(columns: usize) -> usize {
    rows::input_words(columns)
}

/// One code per row of the stream; whole blocks of [`BLOCK`](rows::BLOCK) are written, beyond the last code too.
pub fn linear(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    linear::layer(arena, places, stream, zero_point);
}

/// As [`linear()`], from codes that are wide already ([`Element::I16`](crate::graph::Element)); needs no scratch memory.
#[inline(always)]
pub fn wide_linear(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    linear::wide_layer(arena, places, stream, zero_point);
}

/// As [`linear_sums()`], from codes that are wide already.
pub fn wide_linear_sums(arena: &mut [u8], places: &Places, stream: &[u32]) {
    linear::wide_layer_of_sums(arena, places, stream);
}

/// Wide codes of few codes, one per row of the stream, in whole blocks; needs no scratch memory.
///
/// # Panics
/// If there are more than [`COLUMNS`].
pub fn narrow_linear(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    narrow::layer(arena, places, stream, zero_point);
}

/// As [`narrow_linear()`], into codes of one byte, as blobs of version 2 have them: by way of a few wide ones.
///
/// # Panics
/// As [`narrow_linear()`].
#[inline(never)]
pub fn narrow_linear_codes(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    let mut codes = [0; COLUMNS];
    let codes = &mut codes[..places.columns];
    codes.copy_from_slice(bytemuck::cast_slice(&arena[places.from..][..places.columns]));
    let out = &mut arena[places.to..][..places.rows.next_multiple_of(BLOCK)];
    let blocks = stream.chunks_exact(BLOCK * row_words(codes.len()));
    for (out, stream) in out.chunks_exact_mut(BLOCK).zip(blocks) {
        let mut wide = [0; BLOCK];
        narrow::codes(stream, codes, zero_point, &mut wide);
        let [c0, c2, c1, c3] = wide.map(|code| code as u8);
        out.copy_from_slice(&[c0, c1, c2, c3]);
    }
}

/// One sum per row of the stream, kept whole for a head's last layer; whole blocks are written as by [`linear()`].
pub fn linear_sums(arena: &mut [u8], places: &Places, stream: &[u32]) {
    linear::layer_of_sums(arena, places, stream);
}

/// Whether a layer is one that [`single_sum`] runs.
#[inline(always)]
pub const fn is_single_sum(places: &Places) -> bool {
    places.rows == 1 && places.columns <= rows::CHUNK && places.columns.is_multiple_of(rows::WIDE)
}

/// As [`linear_sums()`], of a single row, without scratch memory.
///
/// # Panics
/// If the layer [is none such](is_single_sum).
pub fn single_sum(arena: &mut [u8], places: &Places, stream: &[u32]) {
    linear::single_sum(arena, places, stream);
}
