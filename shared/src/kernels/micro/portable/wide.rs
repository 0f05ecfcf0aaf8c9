//! The two loops that most products go through, four sums wide, for the processors of desktops: SSE2 is part of every x86-64.
//!
//! They give the same bits as the plain loops beside them, which other cores compile: both wrap.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m128i, _mm_add_epi16, _mm_add_epi32, _mm_cvtsi128_si32, _mm_madd_epi16, _mm_set_epi32, _mm_set1_epi32,
    _mm_setzero_si128, _mm_shuffle_epi32, _mm_slli_epi16, _mm_srai_epi16,
};

use crate::layout::tiles::{CHANNELS, PIXELS};

/// As [`tile`](super::tile)'s own.
pub(super) fn products(weights: &[u32], x: &[u32], sums: [[i32; CHANNELS]; PIXELS]) -> [[i32; CHANNELS]; PIXELS] {
    // SAFETY: every x86-64 has SSE2, and the function needs nothing else.
    unsafe { wide_products(weights, x, sums) }
}

/// What a chunk of [`linear`](super::linear) adds: to the even rows' sums, and to those with whole half-words.
pub(super) fn chunk(weights: &[u32], x: &[u32]) -> [[i32; 2]; 2] {
    // SAFETY: every x86-64 has SSE2, and the function needs nothing else.
    unsafe { wide_chunk(weights, x) }
}

#[target_feature(enable = "sse2")]
fn wide_products(weights: &[u32], x: &[u32], sums: [[i32; CHANNELS]; PIXELS]) -> [[i32; CHANNELS]; PIXELS] {
    let [first, second] = sums.map(|sums| sums.map(|sum| sum as u32));
    let (mut first, mut second) = (lanes(first), lanes(second));
    for (x, weights) in x.as_chunks::<PIXELS>().0.iter().zip(weights.as_chunks::<CHANNELS>().0) {
        let weights = lanes(*weights);
        first = _mm_add_epi32(first, _mm_madd_epi16(weights, _mm_set1_epi32(x[0] as i32)));
        second = _mm_add_epi32(second, _mm_madd_epi16(weights, _mm_set1_epi32(x[1] as i32)));
    }
    [sums_of(first), sums_of(second)]
}

#[target_feature(enable = "sse2")]
fn wide_chunk(weights: &[u32], x: &[u32]) -> [[i32; 2]; 2] {
    let (mut low, mut whole) = (_mm_setzero_si128(), _mm_setzero_si128());
    for (x, weights) in x.as_chunks::<2>().0.iter().zip(weights.as_chunks::<4>().0) {
        let (x, weights) = (lanes([x[0], x[1], x[0], x[1]]), lanes(*weights));
        whole = _mm_add_epi32(whole, _mm_madd_epi16(weights, _mm_shuffle_epi32::<0b10_11_00_01>(x)));
        let low_bytes = _mm_srai_epi16::<8>(_mm_slli_epi16::<8>(weights));
        let sums = _mm_add_epi16(x, low_bytes);
        low = _mm_add_epi32(low, _mm_madd_epi16(sums, _mm_shuffle_epi32::<0b10_11_00_01>(sums)));
    }
    let ([low0, _, low2, _], whole) = (sums_of(low), sums_of(whole));
    [
        [low0, low2],
        [whole[0].wrapping_add(whole[1]), whole[2].wrapping_add(whole[3])],
    ]
}

#[target_feature(enable = "sse2")]
fn lanes(words: [u32; 4]) -> __m128i {
    let [a, b, c, d] = words.map(|word| word as i32);
    _mm_set_epi32(d, c, b, a)
}

#[target_feature(enable = "sse2")]
fn sums_of(lanes: __m128i) -> [i32; 4] {
    [
        _mm_cvtsi128_si32(lanes),
        _mm_cvtsi128_si32(_mm_shuffle_epi32::<1>(lanes)),
        _mm_cvtsi128_si32(_mm_shuffle_epi32::<2>(lanes)),
        _mm_cvtsi128_si32(_mm_shuffle_epi32::<3>(lanes)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that meet every sign and both ends of the range.
    fn words<const N: usize>(seed: u32) -> [u32; N] {
        let mut state = seed;
        core::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match state >> 29 {
                0 => 0x8000_8000,
                1 => 0x7FFF_8000,
                _ => state ^ state >> 15,
            }
        })
    }

    #[test]
    fn wide_loops_give_the_bits_of_plain_ones() {
        for seed in 0..2000 {
            let (weights, x) = (words::<96>(seed), words::<48>(seed + 7777));
            let start = [words::<4>(seed + 1), words::<4>(seed + 2)].map(|sums| sums.map(|sum| sum as i32));
            assert_eq!(
                products(&weights, &x, start),
                super::super::tile::plain_products(&weights, &x, start)
            );
            assert_eq!(chunk(&weights, &x), super::super::linear::plain_chunk(&weights, &x));
        }
    }
}
