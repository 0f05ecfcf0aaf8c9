//! Convolution over all channels: windows are widened into scratch memory, two pixels at a time, and multiplied from there.
//!
//! An output row takes one call of the inner loop, but for the pixels whose windows reach into the border on the left or right.

use core::ops::Range;

use super::micro::{Line, MAX_LINES, Windows, linear, tile};
use super::{Rows, Weighted};
use crate::layout::rows;
use crate::layout::tiles::{CHANNELS, PIXELS, window_words};
use crate::spec::Shape;

/// Words of scratch memory: two widened windows, a row of each in codes, and what is left over of both outputs.
pub const fn scratch_words(kernel: usize, input: Shape, output: Shape) -> usize {
    let segment = kernel * input.c as usize;
    let spare = PIXELS * (segment.div_ceil(4) + (output.c as usize).div_ceil(4));
    PIXELS * window_words(kernel, segment) + spare
}

/// One row of a convolution.
///
/// # Shapes
/// `stream` of `output.c` channels; `out[output.w][output.c]`.
pub fn conv2d(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let mut rows = [None; MAX_LINES];
    let rows = &mut rows[..layer.window.kernel];
    let top = layer.window.top(layer.row);
    for (y, row) in (top..).zip(rows.iter_mut()) {
        *row = input.row(y);
    }
    let row = Row { input, layer, rows };
    let inside = row.pairs_inside();
    let pair = PIXELS * usize::from(layer.output.c);
    let (before, rest) = out.split_at_mut(inside.start * pair);
    if !before.is_empty() {
        row.by_pair(0, scratch, before);
    }
    if !inside.is_empty() {
        row.at_once(&inside, scratch, rest);
    }
    let after = &mut rest[inside.len() * pair..];
    if !after.is_empty() {
        row.by_pair(inside.end, scratch, after);
    }
}

/// What the windows of an output row have in common.
struct Row<'a> {
    input: &'a Rows<'a>,
    layer: &'a Weighted<'a>,
    /// The kernel's rows; `None` in the border.
    rows: &'a [Option<&'a [i8]>],
}

impl Row<'_> {
    /// Codes of a window in one row.
    fn segment(&self) -> usize {
        self.layer.window.kernel * self.input.channels()
    }

    /// The pairs of pixels that [`tile::row`] can take: no column of their windows lies in the border.
    fn pairs_inside(&self) -> Range<usize> {
        let (window, output) = (&self.layer.window, self.layer.output);
        let channels = usize::from(output.c);
        let padded = channels.next_multiple_of(CHANNELS);
        if channels > CHANNELS && channels < padded {
            return 0..0;
        }
        // Columns before the first window, for it to end at a fourth code; pixels behind the last, for what its group has left over.
        let before = 4usize.saturating_sub(self.segment()).div_ceil(self.input.channels());
        let behind = (padded - channels).div_ceil(channels);
        let first = (window.pad_left + before).div_ceil(window.stride);
        let width = usize::from(self.input.shape.w) + window.pad_left;
        let fitting = (width + window.stride).saturating_sub(window.kernel) / window.stride;
        let end = fitting.min(usize::from(output.w).saturating_sub(behind));
        let pairs = first.div_ceil(PIXELS)..end / PIXELS;
        if pairs.is_empty() { 0..0 } else { pairs }
    }

    /// Pairs of pixels whose windows lie inside; the border above and below is made of lines that repeat.
    fn at_once(&self, pairs: &Range<usize>, scratch: &mut [u32], out: &mut [i8]) {
        let Self { input, layer, rows } = self;
        let (segment, channels) = (self.segment(), input.channels());
        let (x, spare) = scratch.split_at_mut(PIXELS * window_words(rows.len(), segment));
        let padding = &mut bytemuck::cast_slice_mut(spare)[..segment.next_multiple_of(4)];
        if rows.iter().any(Option::is_none) {
            padding.fill(input.pad_code);
        }
        let mut lines = [Line {
            codes: padding,
            first: padding.len() - segment,
            step: 0,
        }; MAX_LINES];
        for (line, row) in lines.iter_mut().zip(*rows) {
            if let Some(codes) = row {
                let first = layer.window.left(pairs.start * PIXELS) as usize * channels;
                let step = layer.window.stride * channels;
                *line = Line { codes, first, step };
            }
        }
        let windows = Windows {
            lines: &lines[..rows.len()],
            segment,
            pairs: pairs.len(),
        };
        tile::row(
            layer.stream,
            &windows,
            x,
            layer.zero_point,
            (out, layer.output.c.into()),
        );
    }

    /// Pixels of windows anywhere, two at a time, from a pair on.
    fn by_pair(&self, first_pair: usize, scratch: &mut [u32], out: &mut [i8]) {
        let Self { input, layer, rows } = self;
        let (segment, channels) = (self.segment(), usize::from(layer.output.c));
        let (x, spare) = scratch.split_at_mut(PIXELS * window_words(rows.len(), segment));
        let (borders, left_over) = bytemuck::cast_slice_mut(spare).split_at_mut(PIXELS * segment.next_multiple_of(4));
        let (first_border, second_border) = borders[..PIXELS * segment].split_at_mut(segment);
        let (first_spare, second_spare) = left_over.split_at_mut(channels.next_multiple_of(CHANNELS));
        for (pair, out) in (first_pair..).zip(out.chunks_mut(PIXELS * channels)) {
            let (first, second) = out.split_at_mut(channels);
            let left = layer.window.left(pair * PIXELS);
            let right = layer.window.left(pair * PIXELS + usize::from(!second.is_empty()));
            for (row, x) in rows.iter().zip(x.chunks_exact_mut(PIXELS * window_words(1, segment))) {
                let first = segment_of(*row, input, left, first_border);
                let second = segment_of(*row, input, right, second_border);
                tile::widen([first, second], x);
            }
            if channels.is_multiple_of(CHANNELS) && !second.is_empty() {
                tile::codes(layer.stream, x, layer.zero_point, [first, second]);
            } else {
                let spare = [&mut *first_spare, &mut *second_spare];
                tile::codes(layer.stream, x, layer.zero_point, spare);
                first.copy_from_slice(&first_spare[..channels]);
                second.copy_from_slice(&second_spare[..second.len()]);
            }
        }
    }
}

/// As many codes of a row as `border` has, from a column on: in `border`, if some of them lie outside.
#[inline(never)]
fn segment_of<'a>(row: Option<&'a [i8]>, input: &Rows<'_>, column: isize, border: &'a mut [i8]) -> &'a [i8] {
    let start = column * input.channels() as isize;
    if let (Some(row), Ok(start)) = (row, usize::try_from(start))
        && let Some(inside) = row.get(start..start + border.len())
    {
        return inside;
    }
    copy_segment(row, input, column, border);
    border
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
