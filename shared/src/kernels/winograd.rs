//! A 3×3 convolution with stride 1 by Winograd's F(2×2, 3×3): 16 products instead of 36 per 2×2 outputs and pair of channels.

use super::micro::{Quads, winograd as micro};
use super::{Rows, Weighted};
use crate::layout::winograd::{CHANNELS, INPUTS, OUTPUTS, POSITIONS, TILES, group_words, position_words};
use crate::spec::Shape;

/// Sums of four channels of two tiles at all positions.
const SUMS: usize = POSITIONS * TILES * CHANNELS;

/// Words of scratch memory: two transformed tiles and their sums of one group.
pub const fn scratch_words(input: Shape) -> usize {
    TILES * POSITIONS * position_words(input.c as usize) + SUMS
}

/// Rows two by two, the last alone if no more are left.
///
/// # Shapes
/// `stream` of `output.c` channels; channels of input and output are multiples of four; `out[rows][output.w][output.c]`.
pub fn conv3x3(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let rows = (layer.row..).step_by(OUTPUTS);
    for (out, row) in out.chunks_mut(OUTPUTS * layer.row_len()).zip(rows) {
        two_rows(input, layer, row, scratch, out);
    }
}

fn two_rows(input: &Rows<'_>, layer: &Weighted<'_>, row: usize, scratch: &mut [u32], out: &mut [i8]) {
    let (window, output) = (&layer.window, layer.output);
    let (stream, zero_point) = (layer.stream, layer.zero_point);
    let (width, channels) = (usize::from(output.w), usize::from(output.c));
    let words = TILES * position_words(input.channels());
    let (x, sums) = scratch.split_at_mut(POSITIONS * words);
    let Some(sums) = bytemuck::cast_slice_mut(sums).first_chunk_mut::<SUMS>() else {
        return;
    };
    let (upper, lower) = out.split_at_mut(width * channels);
    for column in (0..width).step_by(TILES * OUTPUTS) {
        for tile in 0..TILES {
            let column = (column + tile * OUTPUTS).min(width - 1);
            transform(input, (window.top(row), window.left(column)), words, &mut x[tile..]);
        }
        let pixels = (width - column).min(TILES * OUTPUTS);
        let groups = stream
            .chunks_exact(group_words(input.channels()))
            .take(channels / CHANNELS);
        for (group, group_words) in groups.enumerate() {
            let (weights, trailer) = group_words.split_at(group_words.len() - 2 * CHANNELS);
            let Some(trailer) = trailer.first_chunk() else { return };
            micro::products(weights, x, sums);
            let start = column * channels + group * CHANNELS;
            // Below the last of an odd number of rows there is none.
            let out = [&mut upper[start..], lower.get_mut(start..).unwrap_or_default()];
            micro::output(sums, trailer, zero_point, (out, channels, pixels));
        }
    }
}

/// Transforms one tile of all channels.
fn transform(input: &Rows<'_>, (top, left): (isize, isize), position_words: usize, x: &mut [u32]) {
    let padding = [input.pad_code; CHANNELS];
    let width = input.shape.w as isize;
    let inside = left >= 0 && left + INPUTS as isize <= width;
    for quad in 0..input.channels() / CHANNELS {
        let mut copies = [[input.pad_code; INPUTS * CHANNELS]; INPUTS];
        let mut rows = input
            .quads::<INPUTS>(top, &padding)
            .map(|row| row.at_channel(quad * CHANNELS));
        if inside {
            for row in rows.iter_mut().filter(|row| row.pitch > 0) {
                row.codes = &row.codes[left as usize * row.pitch..];
            }
        } else {
            for (row, copy) in rows.iter_mut().zip(&mut copies) {
                for (pixel, copy) in copy.chunks_exact_mut(CHANNELS).enumerate() {
                    let column = left + pixel as isize;
                    if row.pitch > 0 && (0..width).contains(&column) {
                        copy.copy_from_slice(&row.codes[column as usize * row.pitch..][..CHANNELS]);
                    }
                }
                *row = Quads {
                    codes: copy,
                    pitch: CHANNELS,
                };
            }
        }
        micro::input(rows, position_words, &mut x[quad * TILES * 2..]);
    }
}
