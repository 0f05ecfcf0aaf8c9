//! 3×3 windows out of sums: of the phases of doubled pixels, of Winograd's transform.

use super::{Filled, QUAD, Words, of_channels};
use crate::layer::Layer;

pub(super) fn winograd(words: &mut Words<'_>, filters: usize, channels: usize) -> Layer {
    let padded = channels.next_multiple_of(4);
    let mut filled = Filled::new(filters.next_multiple_of(4), 9 * padded);
    for group in (0..filters).step_by(4) {
        let mut transformed = vec![[[0; 4]; 4]; 4 * padded];
        for position in 0..16 {
            for quad in (0..padded).step_by(4) {
                for columns in QUAD {
                    for filter in 0..4 {
                        for (channel, weight) in columns.into_iter().zip(words.halves()) {
                            transformed[filter * padded + quad + channel][position / 4][position % 4] = weight;
                        }
                    }
                }
            }
        }
        for (number, square) in transformed.into_iter().enumerate() {
            let (filter, channel) = (group + number / padded, number % padded);
            let lines = square.map(untransformed);
            for x in 0..3 {
                for (y, weight) in untransformed(lines.map(|line| line[x])).into_iter().enumerate() {
                    filled.weights[filter][(3 * y + x) * padded + channel] = weight;
                }
            }
        }
        filled.bias[group..group + 4].copy_from_slice(&words.numbers(4));
        filled.multipliers[group..group + 4].copy_from_slice(&words.numbers(4));
    }
    assert_eq!(channels, padded, "the operator wants whole quads");
    filled.cut(filters, 9 * channels)
}

/// `a, b, c` of `2a, a + b + c, a − b + c, 2c`.
fn untransformed([first, plus, minus, last]: [i32; 4]) -> [i32; 3] {
    let (a, c) = (first / 2, last / 2);
    let b = plus - a - c;
    assert_eq!([first, plus, minus, last], [2 * a, a + b + c, a - b + c, 2 * c]);
    [a, b, c]
}

pub(super) fn upsampled(words: &mut Words<'_>, filters: usize, channels: usize) -> Layer {
    let padded = channels.next_multiple_of(4);
    let mut filled = Filled::new(filters.next_multiple_of(3), 9 * padded);
    let mut phases = vec![[[[[0; 2]; 2]; 2]; 2]; filters.next_multiple_of(3) * padded];
    for phase in 0..4 {
        for group in (0..filters).step_by(3) {
            let bias = words.numbers(3);
            for y in 0..2 {
                for quad in (0..padded).step_by(4) {
                    for columns in QUAD {
                        for (x, filter) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
                            for (channel, weight) in columns.into_iter().zip(words.halves()) {
                                let square = &mut phases[(group + filter) * padded + quad + channel];
                                square[phase / 2][phase % 2][y][x] = weight;
                            }
                        }
                    }
                }
            }
            let multipliers = words.numbers(3);
            assert!(
                phase == 0 || filled.bias[group..group + 3] == bias,
                "one bias in all phases"
            );
            assert!(phase == 0 || filled.multipliers[group..group + 3] == multipliers);
            filled.bias[group..group + 3].copy_from_slice(&bias);
            filled.multipliers[group..group + 3].copy_from_slice(&multipliers);
        }
    }
    for (number, phases) in phases.into_iter().enumerate() {
        for (y, line) in unfolded_square(phases).into_iter().enumerate() {
            for (x, weight) in line.into_iter().enumerate() {
                filled.weights[number / padded][(3 * y + x) * padded + number % padded] = weight;
            }
        }
    }
    assert_eq!(channels, padded, "the operator wants whole quads");
    filled.cut(filters, 9 * channels)
}

pub(super) fn doubled(words: &mut Words<'_>, channels: usize) -> Layer {
    let padded = channels.next_multiple_of(4);
    let mut filled = Filled::new(padded, 9);
    let mut phases = vec![[[[[0; 2]; 2]; 2]; 2]; padded];
    for row_phase in 0..2 {
        for (channel, phases) in phases.iter_mut().enumerate() {
            for square in &mut phases[row_phase] {
                let (left, right) = (words.halves(), words.halves());
                *square = [[left[0], right[0]], [left[1], right[1]]];
            }
            let (bias, multiplier) = (words.word(), words.word());
            let again = (filled.bias[channel], filled.multipliers[channel]) == (bias, multiplier);
            assert!(row_phase == 0 || again, "one bias in both phases");
            (filled.bias[channel], filled.multipliers[channel]) = (bias, multiplier);
        }
    }
    for (window, phases) in filled.weights.iter_mut().zip(phases) {
        *window = unfolded_square(phases).concat();
    }
    of_channels(filled, channels)
}
/// `a, b, c` of what two neighbouring pixels are multiplied with at even places, `a, b + c`, and at odd ones, `a + b, c`.
fn unfolded([even, odd]: [[i32; 2]; 2]) -> [i32; 3] {
    let (a, c) = (even[0], odd[1]);
    let b = even[1] - c;
    assert_eq!(odd[0], a + b);
    [a, b, c]
}

/// The 3×3 weights of `phases[row phase][column phase]`, each of 2×2 pixels.
fn unfolded_square(phases: [[[[i32; 2]; 2]; 2]; 2]) -> [[i32; 3]; 3] {
    let lines = phases.map(|[even, odd]| [0, 1].map(|y| unfolded([even[y], odd[y]])));
    let columns = [0, 1, 2].map(|x| unfolded(lines.map(|lines| lines.map(|line| line[x]))));
    [0, 1, 2].map(|y| columns.map(|column| column[y]))
}
