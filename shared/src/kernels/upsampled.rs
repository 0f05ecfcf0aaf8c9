//! Each pixel doubled in both directions, then a 3×3 convolution, without the doubled picture.

use super::micro::{bytes, upsample as micro};
use super::{Rows, Weighted};
use crate::layout::upsample::{CHANNELS, group_words, phase_words, pixel_words};
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
    let channels = usize::from(layer.output.c);
    let pixel_words = pixel_words(input.channels());
    let line_words = (usize::from(input.shape.w) + 2) * pixel_words;
    let (first, rest) = scratch.split_at_mut(line_words);
    let second = &mut rest[..line_words];
    let line = (layer.row / 2) as isize;
    widen(input, line - 1, pixel_words, first);
    widen(input, line, pixel_words, second);
    let phases = 2 * phase_words(channels, pixel_words);
    let (upper, lower) = out.split_at_mut(out.len() / 2);
    windows(
        [first, second],
        pixel_words,
        (&layer.stream[..phases], layer.zero_point),
        (upper, channels),
    );
    widen(input, line + 1, pixel_words, first);
    windows(
        [second, first],
        pixel_words,
        (&layer.stream[phases..], layer.zero_point),
        (lower, channels),
    );
}

/// Widens a row, with a pixel of padding on each side.
fn widen(input: &Rows<'_>, line: isize, pixel_words: usize, out: &mut [u32]) {
    let padding = u32::from(input.pad_code as i16 as u16) * 0x1_0001;
    let Some(row) = input.row(line) else {
        return out.fill(padding);
    };
    let (left, rest) = out.split_at_mut(pixel_words);
    let (middle, right) = rest.split_at_mut(rest.len() - pixel_words);
    left.fill(padding);
    bytes::widen(row, middle);
    right.fill(padding);
}

/// A row of windows: the even columns' phase of the stream, then the odd ones'.
fn windows(
    rows: [&[u32]; 2],
    pixel_words: usize,
    (stream, zero_point): (&[u32], i8),
    (out, channels): (&mut [i8], usize),
) {
    let pixels = rows[0].len() / pixel_words - 2;
    let phases = stream.chunks_exact(phase_words(channels, pixel_words)).take(2);
    for (column, stream) in phases.enumerate() {
        let rows = rows.map(|row| &row[column * pixel_words..]);
        for (group, words) in stream.chunks_exact(group_words(pixel_words)).enumerate() {
            let first = group * CHANNELS;
            let out = (&mut out[column * channels + first..], 2 * channels, pixels);
            micro::windows2x2(
                words,
                rows,
                pixel_words,
                zero_point,
                CHANNELS.min(channels - first),
                out,
            );
        }
    }
}
