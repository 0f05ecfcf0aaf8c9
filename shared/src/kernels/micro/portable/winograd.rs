//! Integer Winograd F(2×2, 3×3): two tiles of 2×2 outputs times four channels at a time; weights as in
//! [`layout::winograd`](crate::layout::winograd).
//!
//! `Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A` (Lavin and Gray, 2016). `G` is taken twice as large, so that all is whole; each output is
//! then exactly four times the sum that it stands for.

use super::super::Quads;
use super::{halves, quad, requantize, word};
use crate::layout::winograd::{CHANNELS, POSITIONS, TILES};

/// `Bᵀ d B` of four channels of one tile.
///
/// # Shapes
/// `rows`: four, from the tile's first pixel on; `out`: `position_words` words per position, of which this writes, from the start, those
/// of a quad of one of two tiles: every second of four.
pub fn input(rows: [Quads<'_>; 4], position_words: usize, out: &mut [u32]) {
    let pixels = rows.map(|row| [0, 1, 2, 3].map(|pixel| quad(&row, pixel)));
    for half in 0..2 {
        let d = pixels.map(|row| row.map(|words| words[half]));
        let down: [[u32; 4]; 4] = core::array::from_fn(|position| {
            core::array::from_fn(|x| differences(position, [d[0][x], d[1][x], d[2][x], d[3][x]]))
        });
        for (y, row) in down.into_iter().enumerate() {
            for x in 0..4 {
                out[(4 * y + x) * position_words + TILES * half] = differences(x, row);
            }
        }
    }
}

/// `Bᵀ`: `d0 − d2`, `d1 + d2`, `d2 − d1`, `d1 − d3`, in both halves.
fn differences(row: usize, [d0, d1, d2, d3]: [u32; 4]) -> u32 {
    let [(a0, a1), (b0, b1)] = match row {
        0 => [halves(d0), halves(d2)],
        1 => [halves(d1), halves(d2)],
        2 => [halves(d2), halves(d1)],
        _ => [halves(d1), halves(d3)],
    };
    if row == 1 {
        word(a0 + b0, a1 + b1)
    } else {
        word(a0 - b0, a1 - b1)
    }
}

/// Products of four channels at all positions: per position those of [`tile::sums`](super::tile::sums).
///
/// # Shapes
/// `weights` and `x`: one block per position; `x` of [`input`].
pub fn products(weights: &[u32], x: &[u32], out: &mut [i32; POSITIONS * TILES * CHANNELS]) {
    let weights = weights.chunks_exact(weights.len() / POSITIONS);
    let x = x.chunks_exact(x.len() / POSITIONS);
    for ((weights, x), out) in weights.zip(x).zip(out.as_chunks_mut().0) {
        super::tile::sums(weights, x, out);
    }
}

/// `Aᵀ M A`, a quarter of it, bias and requantisation: 2×2 codes of four channels of two tiles side by side.
///
/// # Shapes
/// `trailer`: four biases, four multipliers; `out`: two rows, four codes every `pitch` bytes, `pixels` of up to four times. The second
/// row may be empty, if there is none.
pub fn output(
    sums: &[i32; POSITIONS * TILES * CHANNELS],
    trailer: &[u32; 2 * CHANNELS],
    zero_point: i8,
    (out, pitch, pixels): ([&mut [i8]; 2], usize, usize),
) {
    let [upper, lower] = out;
    for lane in 0..TILES * CHANNELS {
        let (tile, channel) = (lane / CHANNELS, lane % CHANNELS);
        let m = |y: usize, x: usize| sums[(4 * y + x) * TILES * CHANNELS + lane];
        let across: [[i32; 4]; 2] = [
            core::array::from_fn(|x| m(0, x).wrapping_add(m(1, x)).wrapping_add(m(2, x))),
            core::array::from_fn(|x| m(1, x).wrapping_sub(m(2, x)).wrapping_sub(m(3, x))),
        ];
        let rows = across.into_iter().zip([&mut *upper, &mut *lower]);
        for (row, out) in rows.filter(|(_, out)| !out.is_empty()) {
            let pair = [
                row[0].wrapping_add(row[1]).wrapping_add(row[2]),
                row[1].wrapping_sub(row[2]).wrapping_sub(row[3]),
            ];
            for (x, four_times) in (2 * tile..pixels).zip(pair) {
                let sum = (trailer[channel] as i32).wrapping_add(four_times >> 2);
                out[x * pitch + channel] = requantize(sum, trailer[CHANNELS + channel], zero_point);
            }
        }
    }
}
