//! Convolution over all channels: windows are widened into scratch memory, two pixels at a time, and multiplied from there.

use super::micro::{linear, tile};
use super::{Rows, Weighted};
use crate::layout::{rows, tiles};
use crate::spec::Shape;

/// Words of scratch memory: two widened windows, a row of each in codes, and what is left over of both outputs.
pub const fn scratch_words(kernel: usize, input: Shape, output: Shape) -> usize {
    let segment = kernel * input.c as usize;
    let spare = tiles::PIXELS * (segment.div_ceil(4) + (output.c as usize).div_ceil(4));
    tiles::PIXELS * tiles::window_words(kernel, segment) + spare
}

/// One row of a convolution.
///
/// # Shapes
/// `stream` of `output.c` channels; `out[output.w][output.c]`.
pub fn conv2d(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let (window, output, row) = (&layer.window, layer.output, layer.row);
    let (stream, zero_point) = (layer.stream, layer.zero_point);
    let segment = window.kernel * input.channels();
    let channels = usize::from(output.c);
    let words = tiles::window_words(window.kernel, segment);
    let (x, spare) = scratch.split_at_mut(tiles::PIXELS * words);
    let (borders, left_over) =
        bytemuck::cast_slice_mut(spare).split_at_mut(tiles::PIXELS * segment.next_multiple_of(4));
    let whole = channels.is_multiple_of(tiles::CHANNELS);
    let mut rest = out;
    let mut column = 0;
    while !rest.is_empty() {
        let pixels = if rest.len() > channels { tiles::PIXELS } else { 1 };
        let columns = [column, column + pixels - 1];
        for (kernel_row, x) in x
            .chunks_exact_mut(tiles::PIXELS * tiles::window_words(1, segment))
            .enumerate()
        {
            let row = input.row(window.top(row) + kernel_row as isize);
            let (first, second) = borders.split_at_mut(segment);
            let codes = [
                segment_of(row, input, window.left(columns[0]), segment, first),
                segment_of(row, input, window.left(columns[1]), segment, second),
            ];
            tile::widen(codes, x);
        }
        let (here, after) = rest.split_at_mut(pixels * channels);
        let padded = channels.next_multiple_of(tiles::CHANNELS);
        let (first_spare, second_spare) = left_over.split_at_mut(padded);
        match (whole, pixels) {
            (true, tiles::PIXELS) => tile::codes(stream, x, zero_point, here.split_at_mut(channels).into()),
            (true, _) => tile::codes(stream, x, zero_point, [here, &mut second_spare[..padded]]),
            (false, _) => {
                tile::codes(stream, x, zero_point, [first_spare, &mut second_spare[..padded]]);
                let (first, second) = here.split_at_mut(channels);
                first.copy_from_slice(&first_spare[..channels]);
                second.copy_from_slice(&second_spare[..second.len()]);
            }
        }
        rest = after;
        column += pixels;
    }
}

/// `segment` codes of a row from a column on; what lies outside is filled with padding, in `border`.
#[inline]
fn segment_of<'a>(
    row: Option<&'a [i8]>,
    input: &Rows<'_>,
    column: isize,
    segment: usize,
    border: &'a mut [i8],
) -> &'a [i8] {
    let start = column * input.channels() as isize;
    if let (Some(row), Ok(start)) = (row, usize::try_from(start))
        && start + segment <= row.len()
    {
        return &row[start..start + segment];
    }
    let border = &mut border[..segment];
    border.fill(input.pad_code);
    if let Some(row) = row {
        let end = (start + segment as isize).clamp(0, row.len() as isize) as usize;
        let begin = start.clamp(0, row.len() as isize) as usize;
        if begin < end {
            let at = (begin as isize - start) as usize;
            border[at..at + end - begin].copy_from_slice(&row[begin..end]);
        }
    }
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

fn copy_segment(row: Option<&[i8]>, input: &Rows<'_>, column: isize, out: &mut [i8]) {
    let start = column * input.channels() as isize;
    out.fill(input.pad_code);
    let Some(row) = row else { return };
    let begin = start.clamp(0, row.len() as isize);
    let end = (start + out.len() as isize).clamp(0, row.len() as isize);
    if begin < end {
        let inside = &row[begin as usize..end as usize];
        out[(begin - start) as usize..][..inside.len()].copy_from_slice(inside);
    }
}
