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
    if are_one_row(input, layer) {
        return long_row(input, layer, scratch, out);
    }
    let walk = Walk::new(input, layer);
    let pair = PIXELS * usize::from(layer.output.c);
    if !walk.inside.is_empty() {
        for (row, out) in (layer.row..).zip(out.chunks_exact_mut(layer.row_len())) {
            walk.at_once(row, scratch, &mut out[walk.inside.start * pair..]);
        }
    }
    // Behind that, since it leaves something behind its last pixel.
    for pair in (0..walk.inside.start).chain(walk.inside.end..layer.row_len().div_ceil(pair)) {
        walk.pair(pair, scratch, out);
    }
}

/// Whether rows that lie one behind the other are as good as one long row, of a layer whose window is a pixel. Where [`tile::row`] reads
/// in front of the first one, or cannot write the last group of channels, they are left to [`Walk`].
fn are_one_row(input: &Rows<'_>, layer: &Weighted<'_>) -> bool {
    const PIXEL: Window = Window {
        kernel: 1,
        stride: 1,
        pad_top: 0,
        pad_left: 0,
    };
    let channels = usize::from(layer.output.c);
    layer.window == PIXEL
        && layer.output.w == input.shape.w
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
    let windows = Windows {
        lines: &[Line {
            codes,
            first: 0,
            step: segment,
        }],
        segment,
        pairs,
    };
    let (x, spare) = scratch.split_at_mut(PIXELS * window_words(1, segment));
    tile::row(layer.stream, &windows, x, layer.zero_point, (out, channels));
    let done = PIXELS * pairs;
    if done < pixels {
        let spare = bytemuck::cast_slice_mut(spare);
        last_pixels(&codes[done * segment..], layer, (x, spare), &mut out[done * channels..]);
    }
}

/// Pixels of a layer whose window is a pixel, by way of `spare`.
#[inline(never)]
fn last_pixels(codes: &[i8], layer: &Weighted<'_>, (x, spare): (&mut [u32], &mut [i8]), out: &mut [i8]) {
    let channels = usize::from(layer.output.c);
    let segment = codes.len() / (out.len() / channels);
    let (first, second) = spare.split_at_mut(channels.next_multiple_of(CHANNELS));
    for (codes, out) in codes.chunks(PIXELS * segment).zip(out.chunks_mut(PIXELS * channels)) {
        let other = codes.len() - segment; // of one pixel alone, the same
        tile::widen([&codes[..segment], &codes[other..]], x);
        tile::codes(layer.stream, x, layer.zero_point, [&mut *first, &mut *second]);
        let pixels = [&*first, &*second];
        for (out, pixel) in out.chunks_exact_mut(channels).zip(pixels) {
            out.copy_from_slice(&pixel[..channels]);
        }
    }
}

/// What the rows of a layer have in common.
struct Walk<'a> {
    input: &'a Rows<'a>,
    layer: &'a Weighted<'a>,
    /// Codes of a window in one row.
    segment: usize,
    /// The pairs of pixels that [`tile::row`] can take.
    inside: Range<usize>,
}

impl<'a> Walk<'a> {
    fn new(input: &'a Rows<'a>, layer: &'a Weighted<'a>) -> Self {
        Self {
            input,
            layer,
            segment: layer.window.kernel * input.channels(),
            inside: pairs_inside(input, layer),
        }
    }

    /// Pairs of pixels of a row whose windows lie inside; the border above and below is made of lines that repeat.
    fn at_once(&self, row: usize, scratch: &mut [u32], out: &mut [i8]) {
        let (input, layer, segment) = (self.input, self.layer, self.segment);
        let (channels, kernel) = (input.channels(), layer.window.kernel);
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
        let first = layer.window.left(self.inside.start * PIXELS) as usize * channels;
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
            pairs: self.inside.len(),
        };
        tile::row(
            layer.stream,
            &windows,
            x,
            layer.zero_point,
            (out, layer.output.c.into()),
        );
    }

    /// The two pixels of a pair, in all rows; their windows may lie anywhere. The second may be missing.
    fn pair(&self, pair: usize, scratch: &mut [u32], out: &mut [i8]) {
        let (input, layer, segment) = (self.input, self.layer, self.segment);
        let channels = usize::from(layer.output.c);
        let line_words = PIXELS * window_words(1, segment);
        let (x, spare) = scratch.split_at_mut(layer.window.kernel * line_words);
        let (borders, left_over) = bytemuck::cast_slice_mut(spare).split_at_mut(PIXELS * segment.next_multiple_of(4));
        let borders = &mut borders[..PIXELS * segment];
        borders.fill(input.pad_code);
        let (first_border, second_border) = borders.split_at_mut(segment);
        let (first_spare, second_spare) = left_over.split_at_mut(channels.next_multiple_of(CHANNELS));
        let first_column = pair * PIXELS;
        let alone = first_column + 1 == usize::from(layer.output.w);
        let cut = |column: usize| Cut::of(input, layer.window.left(column), segment);
        let (first_cut, second_cut) = (cut(first_column), cut(first_column + usize::from(!alone)));
        for (row, out) in (layer.row..).zip(out.chunks_exact_mut(layer.row_len())) {
            let (first, rest) = out[first_column * channels..].split_at_mut(channels);
            for (line, y) in (layer.window.top(row)..).take(layer.window.kernel).enumerate() {
                let row = input.row(y);
                let codes = [
                    first_cut.codes(row, input.pad_code, first_border),
                    second_cut.codes(row, input.pad_code, second_border),
                ];
                tile::widen(codes, &mut x[line * line_words..][..line_words]);
            }
            if channels.is_multiple_of(CHANNELS) && !alone {
                tile::codes(layer.stream, x, layer.zero_point, [first, &mut rest[..channels]]);
            } else {
                let spare = [&mut *first_spare, &mut *second_spare];
                tile::codes(layer.stream, x, layer.zero_point, spare);
                first.copy_from_slice(&first_spare[..channels]);
                if !alone {
                    rest[..channels].copy_from_slice(&second_spare[..channels]);
                }
            }
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

/// Which codes of a row a window sees, and how many of its own lie before them in the border.
struct Cut {
    before: usize,
    inside: Range<usize>,
}

impl Cut {
    /// Of a window that begins with a column.
    fn of(input: &Rows<'_>, column: isize, segment: usize) -> Self {
        let (start, len) = (
            column * input.channels() as isize,
            usize::from(input.shape.w) * input.channels(),
        );
        let [begin, end] = [start, start + segment as isize].map(|at| at.clamp(0, len as isize) as usize);
        Self {
            before: ((begin as isize - start) as usize).min(segment),
            inside: begin..end,
        }
    }

    /// The codes of one row, in `border` if not all lie inside; there, those outside are padding.
    fn codes<'a>(&self, row: Option<&'a [i8]>, padding: i8, border: &'a mut [i8]) -> &'a [i8] {
        match row {
            Some(row) if self.inside.len() == border.len() => &row[self.inside.clone()],
            Some(row) => {
                let inside = &row[self.inside.clone()];
                border[self.before..][..inside.len()].copy_from_slice(inside);
                border
            }
            None => {
                border.fill(padding);
                border
            }
        }
    }
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
            let row = input.row(window.top(row) + kernel_row as isize);
            copy_segment(row, input, window.left(column), codes);
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

/// As many codes of a row as `out` has, from a column on; what lies outside is padding.
fn copy_segment(row: Option<&[i8]>, input: &Rows<'_>, column: isize, out: &mut [i8]) {
    let row = row.unwrap_or_default();
    let start = column * input.channels() as isize;
    let begin = start.clamp(0, row.len() as isize);
    let end = (start + out.len() as isize).clamp(0, row.len() as isize);
    out.fill(input.pad_code);
    if begin < end {
        let inside = &row[begin as usize..end as usize];
        out[(begin - start) as usize..][..inside.len()].copy_from_slice(inside);
    }
}
