//! The loops that most products go through, four sums wide, for the processors of desktops: SSE2 is part of every x86-64.
//!
//! They give the same bits as the plain loops beside them, which other cores compile: both wrap.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m128i, _mm_add_epi16, _mm_add_epi32, _mm_cvtsi128_si32, _mm_madd_epi16, _mm_set_epi32, _mm_set1_epi32,
    _mm_setzero_si128, _mm_shuffle_epi32, _mm_slli_epi16, _mm_srai_epi16,
};

use super::depthwise::{COLUMN2_WORDS, COLUMN3_WORDS};
use super::{halves, requantize, word};
use crate::layout::depthwise::{DOUBLED_WORDS, WINDOW_WORDS};
use crate::layout::tiles::{CHANNELS, PIXELS};
use crate::layout::upsample;

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

/// As [`upsample`](super::upsample)'s own.
pub(super) fn window(
    weights: &[u32],
    window: [[&[u32]; 2]; 2],
    sums: [i32; upsample::CHANNELS],
) -> [i32; upsample::CHANNELS] {
    // SAFETY: every x86-64 has SSE2, and the function needs nothing else.
    unsafe { wide_window(weights, window, sums) }
}

/// As [`depthwise::window3x3`](super::depthwise::window3x3), four channels at once.
pub(super) fn windows(
    weights: &[u32; CHANNELS * WINDOW_WORDS],
    columns: &[u32],
    stride: usize,
    zero_point: i8,
    (out, pitch, pixels): (&mut [i8], usize, usize),
) {
    let channels: [_; WINDOW_WORDS] = side_by_side(weights);
    let (left, middle) = (
        channels[3].map(|word| halves(word).0),
        channels[3].map(|word| halves(word).1),
    );
    let right = channels[4].map(|word| halves(word).0);
    // The third row lies as (c0, c2) (c1, c3): taken twice, each channel's half is there, and zero stands against the other.
    let thirds = [left, middle, right].map(|[w0, w1, w2, w3]| [word(w0, 0), word(w1, 0), word(0, w2), word(0, w3)]);
    for pixel in 0..pixels {
        let mut sums = channels[5].map(|bias| bias as i32);
        let window = columns[pixel * stride * COLUMN3_WORDS..].as_chunks::<COLUMN3_WORDS>().0;
        for ((&[a, b, c, d, even, odd], &pairs), &third) in window.iter().zip(&channels[..3]).zip(&thirds) {
            sums = duals(duals(sums, [a, b, c, d], pairs), [even, odd, even, odd], third);
        }
        store(sums, channels[6], zero_point, &mut out[pixel * pitch..]);
    }
}

/// As [`depthwise::doubled3x3`](super::depthwise::doubled3x3), four channels at once.
pub(super) fn doubled(
    weights: &[u32; CHANNELS * DOUBLED_WORDS],
    columns: &[u32],
    zero_point: i8,
    (out, pitch, pixels): (&mut [i8], usize, usize),
) {
    let channels: [_; DOUBLED_WORDS] = side_by_side(weights);
    let bias = channels[4].map(|bias| bias as i32);
    let windows = columns.as_chunks::<COLUMN2_WORDS>().0.windows(3);
    for (pixel, window) in windows.take(pixels).enumerate() {
        let even = duals(duals(bias, window[0], channels[0]), window[1], channels[1]);
        let odd = duals(duals(bias, window[1], channels[2]), window[2], channels[3]);
        store(even, channels[5], zero_point, &mut out[2 * pixel * pitch..]);
        store(odd, channels[5], zero_point, &mut out[(2 * pixel + 1) * pitch..]);
    }
}

/// Word by word the four channels, from four channels' words one after the other.
#[inline(always)]
fn side_by_side<const WORDS: usize>(weights: &[u32]) -> [[u32; CHANNELS]; WORDS] {
    core::array::from_fn(|word| core::array::from_fn(|channel| weights[channel * WORDS + word]))
}

/// Four codes of four sums.
#[inline(always)]
fn store(sums: [i32; CHANNELS], multipliers: [u32; CHANNELS], zero_point: i8, out: &mut [i8]) {
    for ((out, sum), multiplier) in out[..CHANNELS].iter_mut().zip(sums).zip(multipliers) {
        *out = requantize(sum, multiplier, zero_point);
    }
}

/// [`dual`](super::dual), four times.
#[inline(always)]
fn duals(sums: [i32; 4], a: [u32; 4], b: [u32; 4]) -> [i32; 4] {
    // SAFETY: every x86-64 has SSE2, and the function needs nothing else.
    unsafe { wide_duals(sums, a, b) }
}

#[target_feature(enable = "sse2")]
fn wide_duals(sums: [i32; 4], a: [u32; 4], b: [u32; 4]) -> [i32; 4] {
    let sums = lanes(sums.map(|sum| sum as u32));
    sums_of(_mm_add_epi32(sums, _mm_madd_epi16(lanes(a), lanes(b))))
}

/// Of six words of weights the first four go with the left pixel, the last four with the right one: the fourth and first lane, of the
/// other's, are left out at last.
#[target_feature(enable = "sse2")]
fn wide_window(
    weights: &[u32],
    window: [[&[u32]; 2]; 2],
    [sum0, sum1, sum2]: [i32; upsample::CHANNELS],
) -> [i32; upsample::CHANNELS] {
    let mut weights = weights.as_chunks::<{ 2 * upsample::CHANNELS }>().0.iter();
    let (mut lefts, mut rights) = (_mm_setzero_si128(), _mm_setzero_si128());
    for [left, right] in window {
        for ((&left, &right), &[a, b, c, d, e, f]) in left.iter().zip(right).zip(&mut weights) {
            let (left, right) = (_mm_set1_epi32(left as i32), _mm_set1_epi32(right as i32));
            lefts = _mm_add_epi32(lefts, _mm_madd_epi16(lanes([a, b, c, d]), left));
            rights = _mm_add_epi32(rights, _mm_madd_epi16(lanes([c, d, e, f]), right));
        }
    }
    let ([left0, left1, left2, _], [_, right0, right1, right2]) = (sums_of(lefts), sums_of(rights));
    [
        sum0.wrapping_add(left0).wrapping_add(right0),
        sum1.wrapping_add(left1).wrapping_add(right1),
        sum2.wrapping_add(left2).wrapping_add(right2),
    ]
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
    #[test]
    fn wide_windows_give_the_bits_of_plain_ones() {
        for seed in 0..2000 {
            let (weights, x) = (words::<96>(seed), words::<32>(seed + 7777));
            let start = words::<3>(seed + 1).map(|sum| sum as i32);
            let (upper, lower) = x.split_at(16);
            let rows = [upper, lower].map(|row| [&row[..8], &row[8..]]);
            assert_eq!(
                window(&weights, rows, start),
                super::super::upsample::plain_window(&weights, rows, start)
            );
        }
    }

    /// Codes, bytes from pixel to pixel, pixels.
    type Row<'a> = (&'a mut [i8], usize, usize);

    /// Halves and biases so small, and multipliers so large, that every unit of a sum shows in its code.
    fn tell_apart(weights: &mut [u32], columns: &mut [u32], words_per_channel: usize) {
        for halves in columns.iter_mut().chain(&mut *weights) {
            *halves = word((*halves as i16 >> 13).into(), *halves as i32 >> 29);
        }
        for channel in weights.chunks_exact_mut(words_per_channel) {
            let [.., bias, multiplier] = channel else { continue };
            (*bias, *multiplier) = (*bias & 15, i32::MAX as u32);
        }
    }

    #[test]
    fn wide_channels_give_the_bits_of_plain_ones() {
        use super::super::depthwise::{plain_doubled, plain_windows};
        const PIXELS: usize = 5;
        const PITCH: usize = 7;
        let codes = |run: &mut dyn FnMut(Row<'_>)| {
            let mut out = [99; 2 * PIXELS * PITCH];
            run((&mut out, PITCH, PIXELS));
            out
        };
        for seed in 0..4000 {
            let zero_point = (seed / 2 % 64) as i8 - 32;
            let small = seed % 2 == 0;
            let mut weights = words(seed);
            let mut columns = words::<{ 11 * COLUMN3_WORDS }>(seed + 7777);
            if small {
                tell_apart(&mut weights, &mut columns, WINDOW_WORDS);
            }
            for stride in 1..=2 {
                assert_eq!(
                    codes(&mut |out| windows(&weights, &columns, stride, zero_point, out)),
                    codes(&mut |out| plain_windows(&weights, &columns, stride, zero_point, out))
                );
            }
            let mut weights = words(seed);
            let mut columns = words::<{ (PIXELS + 2) * COLUMN2_WORDS }>(seed + 7777);
            if small {
                tell_apart(&mut weights, &mut columns, DOUBLED_WORDS);
            }
            assert_eq!(
                codes(&mut |out| doubled(&weights, &columns, zero_point, out)),
                codes(&mut |out| plain_doubled(&weights, &columns, zero_point, out))
            );
        }
    }
}
