//! Rows of up to ten weights of 16 bits, for layers whose input fits the registers.
//!
//! ```text
//! row      bias, words of weights, multiplier          three words for up to six columns, five for up to ten
//! words    n ≤ 6: (w₀, w₂) (w₁, w₃) (wₙ₋₂, wₙ₋₁)
//!          else:  (w₀, w₂) (w₁, w₃) (w₄, w₅) (wₙ₋₄, wₙ₋₂) (wₙ₋₃, wₙ₋₁)
//! ```
//!
//! The last columns are counted from the end, so that their codes are read without looking beyond them, however many there are.
//! A column that is named twice has its weight in the first place and zero in the second. Fewer than four columns are filled up to
//! four. All rows together are filled up to a multiple of [`BLOCK`].

use super::{Plain, word};

/// Rows that are written together.
pub const BLOCK: usize = 4;

/// The most columns of a row.
pub const COLUMNS: usize = 10;

/// The most columns of a row of three words.
pub const FEW_COLUMNS: usize = 6;

/// The fewest columns that the words of a row tell apart.
pub const LEAST_COLUMNS: usize = 4;

/// Words of weights of a row.
pub const fn words(columns: usize) -> usize {
    if columns <= FEW_COLUMNS { 3 } else { 5 }
}

/// Words of a row.
pub const fn row_words(columns: usize) -> usize {
    words(columns) + 2
}

/// Words of a stream for so many rows.
pub const fn stream_words(rows: usize, columns: usize) -> usize {
    rows.next_multiple_of(BLOCK).saturating_mul(row_words(columns))
}

/// The columns of the low and the high half of each word.
pub fn pairs(columns: usize) -> impl Iterator<Item = [usize; 2]> {
    let n = columns.max(LEAST_COLUMNS);
    let all = if columns <= FEW_COLUMNS {
        [[0, 2], [1, 3], [n - 2, n - 1], [0; 2], [0; 2]]
    } else {
        [[0, 2], [1, 3], [4, 5], [n - 4, n - 2], [n - 3, n - 1]]
    };
    all.into_iter().take(words(columns))
}

/// Packs a layer.
pub fn pack(plain: &Plain<'_>, mut push: impl FnMut(u32)) {
    let columns = plain.columns();
    for row in 0..plain.bias.len().next_multiple_of(BLOCK) {
        push(plain.bias(row));
        let mut named = 0u32;
        for pair in pairs(columns) {
            let [low, high] = pair.map(|column| {
                let first = named & 1 << column == 0;
                named |= 1 << column;
                if first { plain.weight(row, column) } else { 0 }
            });
            push(word(low, high));
        }
        push(plain.multiplier(row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of one row with weights −1, 2, −3, …, bias 100 and multiplier 7, and how many words the whole stream has.
    fn row(columns: usize) -> ([u32; 7], usize) {
        let weights: [i8; COLUMNS] = [-1, 2, -3, 4, -5, 6, -7, 8, -9, 10];
        let plain = Plain {
            weights: &weights[..columns],
            bias: &[100],
            multipliers: &[7],
        };
        let mut row = [0; 7];
        let mut count = 0;
        pack(&plain, |word| {
            if count < row_words(columns) {
                row[count] = word;
            }
            count += 1;
        });
        (row, count)
    }

    #[test]
    fn rows_are_these_words() {
        assert_eq!(row(1), ([100, 0x0000_FFFF, 0, 0, 7, 0, 0], 20));
        assert_eq!(row(2), ([100, 0x0000_FFFF, 0x0000_0002, 0, 7, 0, 0], 20));
        assert_eq!(row(3), ([100, 0xFFFD_FFFF, 0x0000_0002, 0, 7, 0, 0], 20));
        assert_eq!(row(4), ([100, 0xFFFD_FFFF, 0x0004_0002, 0, 7, 0, 0], 20));
        assert_eq!(row(5), ([100, 0xFFFD_FFFF, 0x0004_0002, 0xFFFB_0000, 7, 0, 0], 20));
        assert_eq!(row(6), ([100, 0xFFFD_FFFF, 0x0004_0002, 0x0006_FFFB, 7, 0, 0], 20));
        let wide = |last: [u32; 2]| ([100, 0xFFFD_FFFF, 0x0004_0002, 0x0006_FFFB, last[0], last[1], 7], 28);
        assert_eq!(row(7), wide([0, 0xFFF9_0000])); // columns 3 and 5, 4 and 6
        assert_eq!(row(8), wide([0xFFF9_0000, 0x0008_0000])); // 4 and 6, 5 and 7
        assert_eq!(row(9), wide([0x0008_0000, 0xFFF7_FFF9])); // 5 and 7, 6 and 8
        assert_eq!(row(10), wide([0xFFF7_FFF9, 0x000A_0008])); // 6 and 8, 7 and 9
    }

    #[test]
    fn rows_that_fill_up_a_block_give_zero() {
        let plain = Plain {
            weights: &[1, 2, 3, 4, 5],
            bias: &[100],
            multipliers: &[7],
        };
        let mut words = [0; stream_words(1, 5)];
        let mut count = 0;
        pack(&plain, |word| {
            words[count] = word;
            count += 1;
        });
        assert_eq!((count, &words[5..10]), (20, &[0, 0, 0, 0, 1][..]));
    }

    #[test]
    fn every_column_has_its_weight_once() {
        for columns in 1..=COLUMNS {
            let mut seen = [0; COLUMNS];
            for column in pairs(columns).flatten() {
                assert!(column < columns.max(LEAST_COLUMNS));
                seen[column] += 1;
            }
            assert!(seen[..columns].iter().all(|&times| times >= 1));
            let weights: [i8; COLUMNS] = core::array::from_fn(|column| 1 << (column % 7));
            let plain = Plain {
                weights: &weights[..columns],
                bias: &[0],
                multipliers: &[1],
            };
            let mut sum = 0;
            let mut position = 0;
            pack(&plain, |word| {
                if (1..=words(columns)).contains(&position) {
                    sum += (word & 0xFFFF) + (word >> 16);
                }
                position += 1;
            });
            assert_eq!(sum, weights[..columns].iter().map(|&weight| weight as u32).sum());
        }
    }
}
