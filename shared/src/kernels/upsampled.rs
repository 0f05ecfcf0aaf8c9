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
    for (out, line) in out.chunks_exact_mut(2 * layer.row_len()).zip(layer.row / 2..) {
        two_rows(input, layer, line as isize, scratch, out);
    }
}

/// Of the three rows around `line`, the first two make the upper one, the last two the lower one.
#[inline(never)]
fn two_rows(input: &Rows<'_>, layer: &Weighted<'_>, line: isize, scratch: &mut [u32], out: &mut [i8]) {
    let (channels, pixels) = (usize::from(layer.output.c), usize::from(input.shape.w));
    let pixel_words = pixel_words(input.channels());
    let line_words = (pixels + 2) * pixel_words;
    let scratch = &mut scratch[..LINES * line_words];
    for border in [0, line_words - pixel_words, line_words, 2 * line_words - pixel_words] {
        pad(input, &mut scratch[border..][..pixel_words]);
    }
    let (first, second) = scratch.split_at_mut(line_words);
    let inside = pixel_words..line_words - pixel_words;
    widen(input, line - 1, &mut first[inside.clone()]);
    widen(input, line, &mut second[inside.clone()]);
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
    widen(input, line + 1, &mut first[inside]);
    micro::row(odd, [second, first], pixel_words, zero_point, (lower, channels), pixels);
}

/// A row, widened; padding where there is none.
#[inline(never)]
fn widen(input: &Rows<'_>, line: isize, words: &mut [u32]) {
    match input.row(line) {
        Some(row) => bytes::widen(row, words),
        None => pad(input, words),
    }
}

/// Widened padding.
#[inline(never)]
fn pad(input: &Rows<'_>, words: &mut [u32]) {
    words.fill(u32::from(input.pad_code as i16 as u16) * 0x1_0001);
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
