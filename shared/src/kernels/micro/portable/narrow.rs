//! Rows of few weights times one row of codes; weights as in [`layout::narrow`](crate::layout::narrow).

use super::super::Places;
use super::{dual, parts, requantize, word};
use crate::layout::narrow::{BLOCK, COLUMNS, pairs, row_words, words};

/// [`codes`] of all blocks of rows.
///
/// # Panics
/// If the arena is shorter, outputs begin at no word, or places overlap; as [`codes`].
pub fn layer(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    let [from, _, to] = parts(arena, places, 0, BLOCK, 2);
    codes(
        stream,
        bytemuck::cast_slice(from),
        zero_point,
        bytemuck::cast_slice_mut(to),
    );
}

/// One wide code per row of the stream, in whole blocks of [`BLOCK`] rows: `c0 c2 c1 c3`.
///
/// # Shapes
/// `codes[n]` with `n` in `1..=`[`COLUMNS`]; `stream`: a row per code of `out`.
///
/// # Panics
/// If there are no codes or too many, or the stream is shorter.
pub fn codes(stream: &[u32], codes: &[i8], zero_point: i8, out: &mut [i16]) {
    let columns = codes.len();
    assert!((1..=COLUMNS).contains(&columns));
    let (rows, words) = (out.len() / BLOCK * BLOCK, words(columns));
    let code = |column: usize| i32::from(codes.get(column).copied().unwrap_or(0));
    let mut x = [0; COLUMNS / 2];
    for (x, [low, high]) in x.iter_mut().zip(pairs(columns)) {
        *x = word(code(low), code(high));
    }
    let stream = stream[..rows * row_words(columns)].chunks_exact(row_words(columns));
    for (number, row) in stream.enumerate() {
        let products = row[1..=words].iter().zip(x);
        let sum = products.fold(row[0] as i32, |sum, (&weights, x)| dual(sum, weights, x));
        let place = [0, 2, 1, 3][number % BLOCK];
        out[number / BLOCK * BLOCK + place] = requantize(sum, row[words + 1], zero_point).into();
    }
}
