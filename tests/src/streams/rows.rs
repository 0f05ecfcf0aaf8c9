//! Rows of weights, of 8 bits two to a half-word, or of 16.

use super::{Filled, QUAD, Words};
use crate::layer::Layer;

pub(super) fn rows(words: &mut Words<'_>, units: usize, columns: usize, requantized: bool) -> Layer {
    let mut filled = Filled::new(units.next_multiple_of(4), columns.next_multiple_of(4));
    for block in (0..units).step_by(4) {
        let [even, odd] = [[block, block + 2], [block + 1, block + 3]];
        for chunk in (0..columns).step_by(384) {
            let mut corrections = [0; 2];
            for (pair, correction) in corrections.iter_mut().enumerate() {
                *correction = words.word();
                if chunk == 0 {
                    filled.bias[even[pair]] = words.word();
                    *correction = correction.wrapping_sub(filled.bias[even[pair]]);
                }
            }
            let end = columns.next_multiple_of(4).min(chunk + 384);
            for quad in (chunk..end).step_by(4) {
                for pair in 0..2 {
                    for half in [1, 0] {
                        for (column, both) in QUAD[half].into_iter().zip(words.halves()) {
                            let low = i32::from(both as i8);
                            filled.weights[even[pair]][quad + column] = low;
                            filled.weights[odd[pair]][quad + column] = (both - low) / 256;
                        }
                    }
                }
            }
            for (pair, correction) in corrections.into_iter().enumerate() {
                let neighbours = filled.weights[even[pair]][chunk..end].chunks(2);
                let products: i32 = neighbours.map(|pair| pair[0] * pair[1]).sum();
                assert_eq!(correction, -products, "rows from {block}, columns from {chunk}");
            }
        }
        for row in odd {
            filled.bias[row] = words.word();
        }
        if requantized {
            filled.multipliers[block..block + 4].copy_from_slice(&words.numbers(4));
        }
    }
    let mut layer = filled.cut(units, columns);
    if !requantized {
        layer.multipliers.clear();
    }
    layer
}

pub(super) fn narrow(words: &mut Words<'_>, units: usize, columns: usize) -> Layer {
    let filled_columns = columns.max(4);
    let places: &[[usize; 2]] = match filled_columns {
        4 => &[[0, 2], [1, 3], [2, 3]],
        5 => &[[0, 2], [1, 3], [3, 4]],
        6 => &[[0, 2], [1, 3], [4, 5]],
        7 => &[[0, 2], [1, 3], [4, 5], [3, 5], [4, 6]],
        8 => &[[0, 2], [1, 3], [4, 5], [4, 6], [5, 7]],
        9 => &[[0, 2], [1, 3], [4, 5], [5, 7], [6, 8]],
        _ => &[[0, 2], [1, 3], [4, 5], [6, 8], [7, 9]],
    };
    let mut filled = Filled::new(units.next_multiple_of(4), filled_columns);
    for row in 0..units.next_multiple_of(4) {
        filled.bias[row] = words.word();
        let mut seen = vec![false; filled_columns];
        for place in places {
            for (&column, weight) in place.iter().zip(words.halves()) {
                if std::mem::replace(&mut seen[column], true) {
                    assert_eq!(weight, 0, "column {column} stands twice");
                } else {
                    filled.weights[row][column] = weight;
                }
            }
        }
        filled.multipliers[row] = words.word();
    }
    filled.cut(units, columns)
}
