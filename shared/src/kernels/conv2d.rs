//! Convolution over all channels: windows are widened into scratch memory, two pixels at a time, and multiplied from there.
//!
//! An output row takes one call of the inner loop, but for the pixels whose windows reach into the border on the left or right;
//! all rows of one step do together where a window is one pixel.

use core::ops::Range;

use heapless::Vec;

use super::micro::{Line, MAX_LINES, Windows, linear, tile};
use super::{Rows, Weighted, Window};
use crate::layout::rows;
use crate::layout::tiles::{CHANNELS, PIXELS, window_words};
use crate::spec::Shape;

/// Words of scratch memory: two widened windows, a row of each in codes, and what is left over of both outputs.
pub const fn scratch_words(kernel: usize, input: Shape, output: Shape) -> usize {
    let segment = kernel * input.c as usize;
    let spare = PIXELS * (segment.div_ceil(4) + (output.c as usize).div_ceil(4));
    PIXELS * window_words(kernel, segment) + spare
}

/// Rows of a convolution.
///
/// # Shapes
/// `stream` of `output.c` channels; `out[rows][output.w][output.c]`.
pub fn conv2d(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    if are_one_row(input, layer, out.len()) {
        return long_row(input, layer, scratch, out);
    }
    let inside = pairs_inside(input, layer);
    if !inside.is_empty() {
        for (row, out) in (layer.row..).zip(out.chunks_exact_mut(layer.row_len())) {
            pairs_at_once(input, layer, (row, inside.clone()), scratch, out);
        }
    }
    // Behind that, since it leaves something behind its last pixel.
    for pair in (0..inside.start).chain(inside.end..usize::from(layer.output.w).div_ceil(PIXELS)) {
        any_pair(input, layer, pair, scratch, out);
    }
}

/// Whether rows that lie one behind the other are as good as one long row, of a layer whose window is a pixel. Not where
/// [`tile::row`] reads in front of the first one or cannot write the last group of channels, nor where the `codes` to write are too
/// few for [`long_row`] to end with two pairs.
fn are_one_row(input: &Rows<'_>, layer: &Weighted<'_>, codes: usize) -> bool {
    const PIXEL: Window = Window {
        kernel: 1,
        stride: 1,
        pad_top: 0,
        pad_left: 0,
    };
    let channels = usize::from(layer.output.c);
    layer.window == PIXEL
        && layer.output.w == input.shape.w
        && codes >= 2 * PIXELS * channels
        && (channels.is_multiple_of(CHANNELS) || channels < CHANNELS)
        && tile::codes_before(1, input.channels(), input.channels()) == 0
}

fn long_row(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let (segment, channels) = (input.channels(), usize::from(layer.output.c));
    let pixels = out.len() / channels;
    // What the last group has beyond the channels is written over pixels that come later, and behind the last of all.
    let later = if channels < CHANNELS {
        (CHANNELS - 1) / channels
    } else {
        0
    };
    let pairs = pixels.saturating_sub(later) / PIXELS;
    let codes = input.codes_from(layer.row, pixels * segment);
    let (x, spare) = scratch.split_at_mut(PIXELS * window_words(1, segment));
    let mut row = |first: usize, pairs: usize, out: &mut [i8]| {
        let windows = Windows {
            lines: &[Line {
                codes: &codes[first * segment..],
                first: 0,
                step: segment,
            }],
            segment,
            pairs,
        };
        tile::row(layer.stream, &windows, x, layer.zero_point, (out, channels));
    };
    row(0, pairs, out);
    // Pairs that end with the last pixel, two at most, of which the first pixel may be done already. The rest of scratch memory holds
    // two rows of channels in whole groups, and four pixels of fewer than a group.
    let left = (pixels - PIXELS * pairs).div_ceil(PIXELS);
    if left > 0 {
        let first = pixels - PIXELS * left;
        let spare = bytemuck::cast_slice_mut(spare);
        row(first, left, spare);
        let out = &mut out[first * channels..];
        out.copy_from_slice(&spare[..out.len()]);
    }
}

/// Pairs of pixels of a row whose windows lie inside; the border above and below is made of lines that repeat.
#[inline(never)]
fn pairs_at_once(
    input: &Rows<'_>,
    layer: &Weighted<'_>,
    (row, inside): (usize, Range<usize>),
    scratch: &mut [u32],
    out: &mut [i8],
) {
    let (channels, kernel) = (input.channels(), layer.window.kernel);
    let segment = kernel * channels;
    let top = layer.window.top(row);
    let (x, spare) = scratch.split_at_mut(PIXELS * window_words(kernel, segment));
    let padding: &mut [i8] = &mut bytemuck::cast_slice_mut(spare)[..segment.next_multiple_of(4)];
    if top < 0 || top + kernel as isize > input.shape.h as isize {
        padding.fill(input.pad_code);
    }
    let padding = Line {
        first: padding.len() - segment,
        codes: padding,
        step: 0,
    };
    let first_column = inside.start * PIXELS;
    let first = layer.window.left(first_column) as usize * channels;
    let step = layer.window.stride * channels;
    let mut lines = Vec::<Line<'_>, MAX_LINES>::new();
    for y in (top..).take(kernel) {
        let line = input.row(y).map_or(padding, |codes| Line { codes, first, step });
        // A kernel has no more lines.
        let _ = lines.push(line);
    }
    let windows = Windows {
        lines: &lines,
        segment,
        pairs: inside.len(),
    };
    let channels = usize::from(layer.output.c);
    let out = (&mut out[first_column * channels..], channels);
    tile::row(layer.stream, &windows, x, layer.zero_point, out);
}

/// The two pixels of a pair in all rows; their windows may lie anywhere. The second may be missing.
#[inline(never)]
fn any_pair(input: &Rows<'_>, layer: &Weighted<'_>, pair: usize, scratch: &mut [u32], out: &mut [i8]) {
    let (window, channels) = (&layer.window, usize::from(layer.output.c));
    let segment = window.kernel * input.channels();
    let line_words = PIXELS * window_words(1, segment);
    let (x, spare) = scratch.split_at_mut(window.kernel * line_words);
    let (borders, left_over) = bytemuck::cast_slice_mut(spare).split_at_mut(PIXELS * segment.next_multiple_of(4));
    let borders = &mut borders[..PIXELS * segment];
    let (first_spare, second_spare) = left_over.split_at_mut(channels.next_multiple_of(CHANNELS));
    let first = pair * PIXELS;
    let second = (first + 1).min(usize::from(layer.output.w) - 1);
    let [left, right] = [first, second].map(|column| window.left(column) * input.channels() as isize);
    if left < 0 || right as usize + segment > usize::from(input.shape.w) * input.channels() {
        borders.fill(input.pad_code);
    }
    let (first_border, second_border) = borders.split_at_mut(segment);
    let fits = second > first && channels.is_multiple_of(CHANNELS);
    for (row, out) in (layer.row..).zip(out.chunks_exact_mut(layer.row_len())) {
        for (y, x) in (window.top(row)..).zip(x.chunks_exact_mut(line_words)) {
            let row = input.row(y);
            let codes = [
                window_of(row, left, input.pad_code, first_border),
                window_of(row, right, input.pad_code, second_border),
            ];
            tile::widen(codes, x);
        }
        let out = &mut out[first * channels..(second + 1) * channels];
        let codes = if fits {
            out.split_at_mut(channels)
        } else {
            (&mut *first_spare, &mut *second_spare)
        };
        tile::codes(layer.stream, x, layer.zero_point, codes.into());
        if !fits {
            for (out, spare) in out.chunks_exact_mut(channels).zip([&*first_spare, &*second_spare]) {
                out.copy_from_slice(&spare[..channels]);
            }
        }
    }
}

/// The codes of a row that a window sees, from `start` on; if not all lie inside, among the padding in `border`.
fn window_of<'a>(row: Option<&'a [i8]>, start: isize, pad_code: i8, border: &'a mut [i8]) -> &'a [i8] {
    match (row, usize::try_from(start)) {
        (Some(row), Ok(start)) if start + border.len() <= row.len() => &row[start..][..border.len()],
        (Some(row), _) => {
            copy_inside(row, start, border);
            border
        }
        (None, _) => {
            border.fill(pad_code);
            border
        }
    }
}

/// The pairs of pixels of a row that [`tile::row`] can take: no column of their windows lies in the border.
fn pairs_inside(input: &Rows<'_>, layer: &Weighted<'_>) -> Range<usize> {
    let (window, output) = (&layer.window, layer.output);
    let channels = usize::from(output.c);
    let padded = channels.next_multiple_of(CHANNELS);
    if channels > CHANNELS && channels < padded {
        return 0..0;
    }
    // Columns before the first window, which are read with it; pixels behind the last, for what its group has left over.
    let (segment, step) = (window.kernel * input.channels(), window.stride * input.channels());
    let before = tile::codes_before(window.kernel, segment, step).div_ceil(input.channels());
    let behind = (padded - channels).div_ceil(channels);
    let first = (window.pad_left + before).div_ceil(window.stride);
    let width = usize::from(input.shape.w) + window.pad_left;
    let fitting = (width + window.stride).saturating_sub(window.kernel) / window.stride;
    let end = fitting.min(usize::from(output.w).saturating_sub(behind));
    let pairs = first.div_ceil(PIXELS)..end / PIXELS;
    if pairs.is_empty() { 0..0 } else { pairs }
}

/// Words of scratch memory of [`compact_conv2d`]: a window in codes, the same widened, and an output's codes.
pub const fn compact_scratch_words(kernel: usize, input: Shape, output: Shape) -> usize {
    let columns = kernel * kernel * input.c as usize;
    columns.div_ceil(4) + rows::input_words(columns) + (output.c as usize).div_ceil(4)
}

/// As [`conv2d`], with weights of 8 bits: each window is one row of codes for the rows of weights.
///
/// # Shapes
/// As [`conv2d`], `stream` of `output.c` rows.
pub fn compact_conv2d(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    for (row, out) in (layer.row..).zip(out.chunks_exact_mut(layer.row_len())) {
        compact_row(input, &Weighted { row, ..*layer }, scratch, out);
    }
}

fn compact_row(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let (window, output, row) = (&layer.window, layer.output, layer.row);
    let (stream, zero_point) = (layer.stream, layer.zero_point);
    let segment = window.kernel * input.channels();
    let columns = window.kernel * segment;
    let (codes, rest) = scratch.split_at_mut(columns.div_ceil(4));
    let (x, left_over) = rest.split_at_mut(rows::input_words(columns));
    let codes = &mut bytemuck::cast_slice_mut(codes)[..columns];
    let left_over: &mut [i8] = bytemuck::cast_slice_mut(left_over);
    for (column, out) in out.chunks_exact_mut(output.c.into()).enumerate() {
        for (kernel_row, codes) in codes.chunks_exact_mut(segment).enumerate() {
            codes.fill(input.pad_code);
            if let Some(row) = input.row(window.top(row) + kernel_row as isize) {
                copy_inside(row, window.left(column) * input.channels() as isize, codes);
            }
        }
        linear::widen(codes, x);
        if out.len().is_multiple_of(rows::BLOCK) {
            linear::codes(stream, x, columns, zero_point, out);
        } else {
            let padded = &mut left_over[..out.len().next_multiple_of(rows::BLOCK)];
            linear::codes(stream, x, columns, zero_point, padded);
            out.copy_from_slice(&padded[..out.len()]);
        }
    }
}

/// Copies those codes of a row, from `start` on, that lie inside it; `out` keeps what it has in place of the others.
fn copy_inside(row: &[i8], start: isize, out: &mut [i8]) {
    let begin = start.clamp(0, row.len() as isize);
    let end = (start + out.len() as isize).clamp(0, row.len() as isize);
    if begin < end {
        let inside = &row[begin as usize..end as usize];
        out[(begin - start) as usize..][..inside.len()].copy_from_slice(inside);
    }
}
