//! Rows of weights times one row of codes; weights as in [`layout::rows`](crate::layout::rows).

use super::super::Places;
#[cfg(any(test, not(target_arch = "x86_64")))]
use super::word;
use super::{dual, parts, requantize, widened};
use crate::layout::rows::{BLOCK, CHUNK, WIDE, input_words};

/// Widens a row of codes into scratch memory, then [`codes`] of all blocks of rows.
///
/// # Panics
/// If the arena or the stream is shorter, scratch memory begins at no word, places overlap, or there are no columns.
pub fn layer(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    let [from, scratch, to] = parts(arena, places, input_words(places.columns), BLOCK, 1);
    let scratch = bytemuck::cast_slice_mut(scratch);
    widen(bytemuck::cast_slice(from), scratch);
    codes(
        stream,
        scratch,
        places.columns,
        zero_point,
        bytemuck::cast_slice_mut(to),
    );
}

/// Widens a row of codes into scratch memory, then [`sums`] of all blocks of rows.
///
/// # Panics
/// As [`layer`]; outputs too begin at a word.
pub fn layer_of_sums(arena: &mut [u8], places: &Places, stream: &[u32]) {
    let [from, scratch, to] = parts(arena, places, input_words(places.columns), BLOCK, 4);
    let scratch = bytemuck::cast_slice_mut(scratch);
    widen(bytemuck::cast_slice(from), scratch);
    sums(stream, scratch, places.columns, bytemuck::cast_slice_mut(to));
}

/// As [`layer`], from codes that are wide already, a multiple of [`WIDE`] of them; needs no scratch memory.
///
/// # Panics
/// As [`layer`]; codes begin at a word, and are one chunk.
pub fn wide_layer(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    let mut x = [0; input_words(CHUNK)];
    let x = headed(arena, places, &mut x);
    let to = &mut arena[places.to..][..places.rows.next_multiple_of(BLOCK)];
    codes(stream, x, places.columns, zero_point, bytemuck::cast_slice_mut(to));
}

/// As [`layer_of_sums`], from codes that are wide already.
///
/// # Panics
/// As [`wide_layer`]; outputs too begin at a word.
pub fn wide_layer_of_sums(arena: &mut [u8], places: &Places, stream: &[u32]) {
    let mut x = [0; input_words(CHUNK)];
    let x = headed(arena, places, &mut x);
    let to = &mut arena[places.to..][..4 * places.rows.next_multiple_of(BLOCK)];
    sums(stream, x, places.columns, bytemuck::cast_slice_mut(to));
}

/// Wide codes behind the sum of products of neighbours.
fn headed<'x>(arena: &[u8], places: &Places, x: &'x mut [u32; input_words(CHUNK)]) -> &'x [u32] {
    let columns = places.columns;
    assert!((1..=CHUNK).contains(&columns) && columns.is_multiple_of(WIDE));
    let wide: &[u32] = bytemuck::cast_slice(&arena[places.from..][..2 * columns]);
    let neighbours = wide.chunks_exact(2).fold(0, |sum, pair| dual(sum, pair[0], pair[1]));
    x[0] = neighbours as u32;
    x[1..=wide.len()].copy_from_slice(wide);
    &x[..=wide.len()]
}

/// The sum of row 0 of a stream whose row 1 is zero, so that half-words are weights of row 0 alone; needs no scratch memory.
///
/// # Panics
/// If the arena or the stream is shorter, or the columns are no multiple of [`WIDE`] up to [`CHUNK`].
pub fn single_sum(arena: &mut [u8], places: &Places, stream: &[u32]) {
    let columns = places.columns;
    assert!((1..=CHUNK).contains(&columns) && columns.is_multiple_of(WIDE));
    let codes: &[i8] = bytemuck::cast_slice(&arena[places.from..][..columns]);
    let (start, weights) = stream[..4 + columns].split_at(4);
    let products = codes.chunks_exact(4).zip(weights.chunks_exact(4));
    let sum = products.fold(start[1] as i32, |sum, (quad, weights)| {
        let [even, odd] = widened(quad);
        dual(dual(sum, weights[0], odd), weights[1], even)
    });
    arena[places.to..][..4].copy_from_slice(&sum.to_le_bytes());
}

/// Widens codes for [`codes`] and [`sums`]: per chunk of [`CHUNK`] columns the sum of products of neighbours, then the words.
///
/// # Shapes
/// `out`: [`layout::rows::input_words`](crate::layout::rows::input_words) of the length of `codes`.
pub fn widen(codes: &[i8], out: &mut [u32]) {
    let mut out = out;
    for chunk in codes.chunks(CHUNK) {
        let (chunk_out, rest) = out.split_at_mut(1 + chunk.len().div_ceil(4) * 2);
        let (neighbours, words) = chunk_out.split_at_mut(1);
        let mut sum = 0;
        for (quad, words) in chunk.chunks(4).zip(words.chunks_exact_mut(2)) {
            let [a, b] = widened(quad);
            sum = dual(sum, a, b);
            (words[0], words[1]) = (a, b);
        }
        neighbours[0] = sum as u32;
        out = rest;
    }
}

/// Four codes per block of the stream.
///
/// # Shapes
/// `x`: from [`widen`], of `columns` codes; `stream`: one block per [`BLOCK`] codes of `out`.
pub fn codes(stream: &[u32], x: &[u32], columns: usize, zero_point: i8, out: &mut [i8]) {
    let mut stream = stream;
    for out in out.chunks_exact_mut(BLOCK) {
        let sums = block(&mut stream, x, columns);
        let multipliers = take(&mut stream, BLOCK);
        for ((out, sum), &multiplier) in out.iter_mut().zip(sums).zip(multipliers) {
            *out = requantize(sum, multiplier, zero_point);
        }
    }
}

/// Four sums per block of a stream without multipliers.
///
/// # Shapes
/// As [`codes`].
pub fn sums(stream: &[u32], x: &[u32], columns: usize, out: &mut [i32]) {
    let mut stream = stream;
    for out in out.chunks_exact_mut(BLOCK) {
        out.copy_from_slice(&block(&mut stream, x, columns));
    }
}

fn take<'a>(stream: &mut &'a [u32], words: usize) -> &'a [u32] {
    let (taken, rest) = stream.split_at(words);
    *stream = rest;
    taken
}

/// The four sums of one block. Rows 0 and 2 are summed with each weight's low byte; the sums with whole half-words, less those, are 256
/// times the sums of rows 1 and 3.
fn block(stream: &mut &[u32], x: &[u32], columns: usize) -> [i32; BLOCK] {
    let mut low = [0i32; 2];
    let mut high = [0i32; 2];
    let mut x = x;
    for (chunk, first) in (0..columns).step_by(CHUNK).enumerate() {
        let mut whole = low;
        if chunk == 0 {
            let start = take(stream, 4);
            low = [start[0] as i32, start[2] as i32];
            whole = [start[1] as i32, start[3] as i32];
        } else {
            let corrections = take(stream, 2);
            low = [0, 1].map(|pair| low[pair].wrapping_add(corrections[pair] as i32));
        }
        let neighbours = take(&mut x, 1)[0] as i32;
        low = low.map(|sum| sum.wrapping_sub(neighbours));
        let quads = (columns - first).min(CHUNK).div_ceil(4);
        let [more_low, more_whole] = products(take(stream, 4 * quads), take(&mut x, 2 * quads));
        for pair in 0..2 {
            low[pair] = low[pair].wrapping_add(more_low[pair]);
            whole[pair] = whole[pair].wrapping_add(more_whole[pair]);
            high[pair] = high[pair].wrapping_add(whole[pair].wrapping_sub(low[pair]) >> 8);
        }
    }
    let bias = take(stream, 2);
    let odd = [0, 1].map(|pair| high[pair].wrapping_add(bias[pair] as i32));
    [low[0], odd[0], low[1], odd[1]]
}

#[cfg(target_arch = "x86_64")]
use super::wide::chunk as products;
#[cfg(not(target_arch = "x86_64"))]
use plain_chunk as products;

/// What a chunk adds: to the even rows' sums, and to those with whole half-words.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
pub(super) fn plain_chunk(weights: &[u32], x: &[u32]) -> [[i32; 2]; 2] {
    let [mut low, mut whole] = [[0; 2]; 2];
    for (x, weights) in x.chunks_exact(2).zip(weights.chunks_exact(4)) {
        for (pair, weights) in weights.chunks_exact(2).enumerate() {
            whole[pair] = dual(dual(whole[pair], weights[0], x[1]), weights[1], x[0]);
            low[pair] = dual(
                low[pair],
                plus_low_bytes(x[0], weights[0]),
                plus_low_bytes(x[1], weights[1]),
            );
        }
    }
    [low, whole]
}

/// Each half plus the low byte of a weight's half.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
fn plus_low_bytes(x: u32, weights: u32) -> u32 {
    let (low, high) = super::halves(x);
    word(low + i32::from(weights as i8), high + i32::from((weights >> 16) as i8))
}
