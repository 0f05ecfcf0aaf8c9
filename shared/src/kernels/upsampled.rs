//! Each pixel doubled in both directions, then a 3×3 convolution, without the doubled picture.

use super::micro::{bytes, upsample as micro};
use super::{Rows, Weighted};
use crate::layout::upsample::{CHANNELS, PHASES, group_words, phase_words, pixel_words};
use crate::spec::Shape;

/// Rows of the input that a step reads.
const LINES: usize = 3;

/// Words of scratch memory: three widened rows with a pixel of padding on each side.
pub const fn scratch_words(input: Shape) -> usize {
    LINES * (input.w as usize + 2) * pixel_words(input.c as usize)
}

/// Two rows.
///
/// # Shapes
/// `stream` of `output_channels`, of input channels that are a multiple of four; `out[2][2 · input.w][output_channels]`; `row` is the
/// even one.
pub fn conv3x3(input: &Rows<'_>, layer: &Weighted<'_>, scratch: &mut [u32], out: &mut [i8]) {
    let (stream, zero_point, row) = (layer.stream, layer.zero_point, layer.row);
    let output_channels = usize::from(layer.output.c);
    let pixels = usize::from(input.shape.w);
    let pixel_words = pixel_words(input.channels());
    let line_words = (pixels + 2) * pixel_words;
    let padding = u32::from(input.pad_code as i16 as u16) * 0x1_0001;
    let scratch = &mut scratch[..LINES * line_words];
    for (line, words) in scratch.chunks_exact_mut(line_words).enumerate() {
        match input.row((row / 2 + line) as isize - 1) {
            Some(row) => {
                words[..pixel_words].fill(padding);
                bytes::widen(row, &mut words[pixel_words..line_words - pixel_words]);
                words[line_words - pixel_words..].fill(padding);
            }
            None => words.fill(padding),
        }
    }
    let out_row = 2 * pixels * output_channels;
    let phases = stream
        .chunks_exact(phase_words(output_channels, pixel_words))
        .take(PHASES);
    for (phase, stream) in phases.enumerate() {
        let (line, column) = (phase / 2, phase % 2);
        let rows = [line, line + 1].map(|line| &scratch[line * line_words..][..line_words][column * pixel_words..]);
        let out = &mut out[line * out_row..][..out_row];
        for (group, words) in stream.chunks_exact(group_words(pixel_words)).enumerate() {
            let first = group * CHANNELS;
            let out = &mut out[column * output_channels + first..];
            let channels = CHANNELS.min(output_channels - first);
            micro::windows2x2(
                words,
                rows,
                pixel_words,
                zero_point,
                channels,
                (out, 2 * output_channels, pixels),
            );
        }
    }
}
