//! Each pixel doubled in both directions, then a 3×3 convolution or a sum, without the doubled picture.

use super::micro::{bytes, upsample as micro};
use super::{Rows, Weighted};
use crate::arithmetic::AddCodes;
use crate::layout::upsample::{phase_words, pixel_words};
use crate::spec::Shape;

/// Widened rows that a row of windows reads.
const LINES: usize = 2;

/// Words of scratch memory: two widened rows with a pixel of padding on each side.
pub const fn scratch_words(input: Shape) -> usize {
    LINES * (input.w as usize + 2) * pixel_words(input.c as usize)
}

/// Rows two by two, the first an even one.
///
/// # Shapes
/// `stream` of `output.c` channels, of input channels that are a multiple of four; `out[rows][2 · input.w][output.c]`.
pub fn conv3x3(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let mut layer = *layer;
    for out in out.chunks_exact_mut(2 * layer.row_len()) {
        two_rows(input, &layer, scratch, out);
        layer.row += 2;
    }
}

/// Of the three rows that they see, the first two make the upper one, the last two the lower one.
fn two_rows(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let (channels, pixels) = (usize::from(layer.output.c), usize::from(input.shape.w));
    let pixel_words = pixel_words(input.channels());
    let line_words = (pixels + 2) * pixel_words;
    let (first, rest) = scratch.split_at_mut(line_words);
    let second = &mut rest[..line_words];
    let line = (layer.row / 2) as isize;
    let padding = u32::from(input.pad_code as i16 as u16) * 0x1_0001;
    for words in [&mut *first, &mut *second] {
        words[..pixel_words].fill(padding);
        words[line_words - pixel_words..].fill(padding);
    }
    let widen = |line: isize, words: &mut [u32]| {
        let words = &mut words[pixel_words..line_words - pixel_words];
        match input.row(line) {
            Some(row) => bytes::widen(row, words),
            None => words.fill(padding),
        }
    };
    widen(line - 1, first);
    widen(line, second);
    let (even, odd) = layer.stream.split_at(2 * phase_words(channels, pixel_words));
    let (upper, lower) = out.split_at_mut(out.len() / 2);
    let zero_point = layer.zero_point;
    micro::row(
        even,
        [first, second],
        pixel_words,
        zero_point,
        (upper, channels),
        pixels,
    );
    widen(line + 1, first);
    micro::row(odd, [second, first], pixel_words, zero_point, (lower, channels), pixels);
}

/// The sum of `a` and the doubled `b`.
///
/// # Shapes
/// `a[rows][2 · b.w][c]`, from `row` on, of channels that are a multiple of four; `out` likewise.
pub fn add((a, row): (&[i8], usize), b: &Rows<'_>, rule: &AddCodes, out: &mut [i8]) {
    let row_len = 2 * usize::from(b.shape.w) * b.channels();
    let rows = a.chunks_exact(row_len).zip(out.chunks_exact_mut(row_len));
    for (row, (a, out)) in (row..).zip(rows) {
        bytes::add_doubled(a, b.codes_from(row / 2, row_len / 2), b.channels(), rule, out);
    }
}

/// As [`add`], in place of `a`.
pub fn add_in_place((a, row): (&mut [i8], usize), b: &Rows<'_>, rule: &AddCodes) {
    let row_len = 2 * usize::from(b.shape.w) * b.channels();
    for (row, a) in (row..).zip(a.chunks_exact_mut(row_len)) {
        bytes::add_doubled_in_place(a, b.codes_from(row / 2, row_len / 2), b.channels(), rule);
    }
}
