//! Rows of 8-bit weights, two to a half-word, four rows to a block.
//!
//! A half-word holds `256 · b + a`, one weight of an odd row and one of the even row above it. Multiplying whole half-words gives both
//! rows' sums at once; sign-extending the low bytes gives the even row's alone. Eight bits a weight, no unpacking.
//!
//! The even row's sum is taken two columns at a time as `(x + a)(x' + a') = x·a' + a·x' + x·x' + a·a'`: each weight of such a pair
//! multiplies the *other's* column. What is too much of it, `Σ x·x'` is known once per input and `Σ a·a'` once per row.
//!
//! ```text
//! block    of chunk 0: a₀ w₀ a₂ w₂            first values: bias of rows 0 and 2, a with −Σ a·a' of this chunk added, w without
//!          weights of chunk 0
//!          of each further chunk: −Σ a·a' of row 0, of row 2, then its weights
//!          bias₁ bias₃, then multipliers q₀ q₁ q₂ q₃ unless the layer keeps its sums
//! weights  per four columns: rows 1:0 of (c1, c3) · rows 1:0 of (c0, c2) · rows 3:2 likewise
//! ```

use super::{Plain, quad};

/// Rows of a block.
pub const BLOCK: usize = 4;

/// Columns of a chunk: with weights and codes of 8 bits each, sums of an odd row stay below 2^23 and can be told from an even row's.
pub const CHUNK: usize = 384;

/// Codes that are handed on wide come in multiples of so many, up to a chunk.
pub const WIDE: usize = 16;

const _: () = assert!(CHUNK * 128 * 128 < 1 << 23 && CHUNK.is_multiple_of(4));

/// Words of widened input: one per chunk, and two per four columns.
pub const fn input_words(columns: usize) -> usize {
    let chunks = if columns <= CHUNK { 1 } else { columns.div_ceil(CHUNK) };
    columns.div_ceil(4).saturating_mul(2).saturating_add(chunks)
}

/// Words of a stream for so many rows.
pub const fn stream_words(rows: usize, columns: usize, requantized: bool) -> usize {
    rows.div_ceil(BLOCK).saturating_mul(block_words(columns, requantized))
}

/// Words of one block.
pub const fn block_words(columns: usize, requantized: bool) -> usize {
    let heads = 2 + columns.div_ceil(CHUNK) * 2;
    let tail = if requantized { 2 + BLOCK } else { 2 };
    columns.div_ceil(4).saturating_mul(4).saturating_add(heads + tail)
}

/// Packs a layer.
pub fn pack(plain: &Plain<'_>, mut push: impl FnMut(u32)) {
    let columns = plain.columns();
    for first in (0..plain.bias.len()).step_by(BLOCK) {
        for start in (0..columns).step_by(CHUNK) {
            let end = columns.min(start + CHUNK);
            let [correction0, correction2] = [first, first + 2].map(|row| correction(plain, row, start..end));
            if start == 0 {
                for (row, correction) in [(first, correction0), (first + 2, correction2)] {
                    push(plain.bias(row).wrapping_add(correction as u32));
                    push(plain.bias(row));
                }
            } else {
                push(correction0 as u32);
                push(correction2 as u32);
            }
            for column in (start..end).step_by(4) {
                for row in [first, first + 2] {
                    let both = |column| 256 * plain.weight(row + 1, column) + plain.weight(row, column);
                    let [even, odd] = quad(column, both);
                    push(odd);
                    push(even);
                }
            }
        }
        push(plain.bias(first + 1));
        push(plain.bias(first + 3));
        if !plain.multipliers.is_empty() {
            (first..first + BLOCK).for_each(|row| push(plain.multiplier(row)));
        }
    }
}

/// `−Σ a·a'` of a row over neighbours in some columns.
fn correction(plain: &Plain<'_>, row: usize, columns: core::ops::Range<usize>) -> i32 {
    let product = |column: usize| plain.weight(row, column) * plain.weight(row, column + 1);
    -columns.step_by(2).map(product).sum::<i32>()
}

/// The signed weights of a half-word: the even row's and the odd row's.
pub const fn weights_of(half: i16) -> [i16; 2] {
    let even = half as i8 as i16;
    [even, half.wrapping_sub(even) >> 8]
}

#[cfg(test)]
mod tests {
    use super::super::word;
    use super::*;

    #[test]
    fn a_block_is_these_words() {
        // Three rows of five columns; row r has weights 10·r + column + 1.
        let weights: [i8; 15] = core::array::from_fn(|i| (i / 5 * 10 + i % 5 + 1) as i8);
        let plain = Plain {
            weights: &weights,
            bias: &[100, 200, 300],
            multipliers: &[7, 8, 9],
        };
        let mut words = [0; 18];
        let mut count = 0;
        pack(&plain, |word| {
            words[count] = word;
            count += 1;
        });
        assert_eq!((count, stream_words(3, 5, true)), (18, 18));
        // Row 0: −(1·2 + 3·4 + 5·0) = −14; row 2: −(21·22 + 23·24) = −1014.
        assert_eq!(words[..4].map_i32(), [86, 100, -714, 300]);
        // Columns 0 to 3: rows 0 and 1 are 1 2 3 4 and 11 12 13 14; rows 2 and 3 are 21 22 23 24 and zeros.
        assert_eq!(
            words[4..8],
            [
                word(256 * 12 + 2, 256 * 14 + 4),
                word(256 * 11 + 1, 256 * 13 + 3),
                word(22, 24),
                word(21, 23)
            ]
        );
        assert_eq!(words[8..12], [0, word(256 * 15 + 5, 0), 0, word(25, 0)]);
        assert_eq!(words[12..], [200, 0, 7, 8, 9, 1]);
    }

    trait MapI32 {
        fn map_i32(&self) -> [i32; 4];
    }

    impl MapI32 for [u32] {
        fn map_i32(&self) -> [i32; 4] {
            core::array::from_fn(|i| self[i] as i32)
        }
    }

    #[test]
    fn half_words_hold_two_weights() {
        for (even, odd) in [(0, 0), (-127, 127), (127, -127), (-127, -127), (-1, 5), (127, 127)] {
            assert_eq!(weights_of(256 * odd + even), [even, odd]);
        }
    }
}
