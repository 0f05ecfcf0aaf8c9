//! The inner loops in plain Rust, for any core.
//!
//! They follow the data flow of the assembly step by step, wrapping where it wraps, so that both agree on any bytes.

pub mod bytes;
pub mod depthwise;
pub mod linear;
pub mod narrow;
pub mod tile;
pub mod upsample;
#[cfg(target_arch = "x86_64")]
mod wide;
pub mod winograd;

use super::{Places, Quads};

/// The parts of an arena that a layer reads, that it uses as scratch memory, and that it writes in whole blocks of rows.
fn parts<'a>(
    arena: &'a mut [u8],
    places: &Places,
    scratch_words: usize,
    block: usize,
    bytes_per_row: usize,
) -> [&'a mut [u8]; 3] {
    let part = |start: usize, len: usize| start..start + len;
    let ranges = [
        part(places.from, places.columns),
        // Where nothing is needed, what is said of it means nothing.
        part(if scratch_words > 0 { places.scratch } else { 0 }, 4 * scratch_words),
        part(places.to, places.rows.next_multiple_of(block) * bytes_per_row),
    ];
    match arena.get_disjoint_mut(ranges) {
        Ok(parts) => parts,
        Err(error) => panic!("{error}"),
    }
}

/// Low and high half of a word.
#[inline(always)]
const fn halves(word: u32) -> (i32, i32) {
    (word as i16 as i32, (word as i32) >> 16)
}

/// A word of two halves; what does not fit them is cut off.
#[inline(always)]
const fn word(low: i32, high: i32) -> u32 {
    (low as u32 & 0xFFFF) | (high as u32) << 16
}

/// `sum + a.low · b.low + a.high · b.high`.
#[inline(always)]
const fn dual(sum: i32, a: u32, b: u32) -> i32 {
    let ((a0, a1), (b0, b1)) = (halves(a), halves(b));
    sum.wrapping_add(a0.wrapping_mul(b0)).wrapping_add(a1.wrapping_mul(b1))
}

/// Four codes as the words `(c0, c2)` and `(c1, c3)`.
#[inline(always)]
fn widened(codes: &[i8]) -> [u32; 2] {
    let code = |index: usize| i32::from(codes.get(index).copied().unwrap_or(0));
    [word(code(0), code(2)), word(code(1), code(3))]
}

/// The code of a sum: `clamp(((sum · multiplier + 2^31) >> 32) + zero_point)`.
#[inline(always)]
const fn requantize(sum: i32, multiplier: u32, zero_point: i8) -> i8 {
    crate::arithmetic::requantize(sum, multiplier as i32, zero_point)
}

/// Four codes of one pixel as the words `(c0, c2)` and `(c1, c3)`.
#[inline(always)]
fn quad(quads: &Quads<'_>, pixel: usize) -> [u32; 2] {
    widened(&quads.codes[pixel * quads.pitch..][..4])
}
