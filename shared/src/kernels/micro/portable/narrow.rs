//! Rows of few weights times one row of codes; weights as in [`layout::narrow`](crate::layout::narrow).

use super::{dual, requantize, word};
use crate::layout::narrow::{BLOCK, COLUMNS, pairs, row_words, words};

/// One code per row of the stream, in whole blocks of [`BLOCK`] rows.
///
/// # Shapes
/// `codes[n]` with `n` in `1..=`[`COLUMNS`]; `stream`: a row per code of `out`.
///
/// # Panics
/// If there are no codes or too many, or the stream is shorter.
pub fn codes(stream: &[u32], codes: &[i8], zero_point: i8, out: &mut [i8]) {
    let columns = codes.len();
    assert!((1..=COLUMNS).contains(&columns));
    let (rows, words) = (out.len() / BLOCK * BLOCK, words(columns));
    let code = |column: usize| i32::from(codes.get(column).copied().unwrap_or(0));
    let mut x = [0; COLUMNS / 2];
    for (x, [low, high]) in x.iter_mut().zip(pairs(columns)) {
        *x = word(code(low), code(high));
    }
    let stream = stream[..rows * row_words(columns)].chunks_exact(row_words(columns));
    for (out, row) in out.iter_mut().zip(stream) {
        let products = row[1..=words].iter().zip(x);
        let sum = products.fold(row[0] as i32, |sum, (&weights, x)| dual(sum, weights, x));
        *out = requantize(sum, row[words + 1], zero_point);
    }
}
