//! Fewer pixels, or more.

use super::Rows;
use super::micro::bytes;

/// The largest code of each `size × size` window, moved by `size`; what is left over at the right border is dropped.
///
/// # Shapes
/// `out[rows][input.w / size][c]`, from `row` on.
pub fn max_pool2d(input: &Rows<'_>, size: usize, (out, row): (&mut [i8], usize)) {
    let row_len = usize::from(input.shape.w) / size * input.channels();
    for (row, out) in (row..).zip(out.chunks_exact_mut(row_len)) {
        pool_row(input, size, (out, row));
    }
}

fn pool_row(input: &Rows<'_>, size: usize, (out, row): (&mut [i8], usize)) {
    let channels = input.channels();
    for line in row * size..row * size + size {
        let Some(codes) = input.row(line as isize) else { return };
        let first_line = line == row * size;
        for (window, out) in codes.chunks_exact(size * channels).zip(out.chunks_exact_mut(channels)) {
            let mut others = window;
            if first_line {
                let (first, second) = window[..2 * channels].split_at(channels);
                bytes::larger(first, second, out);
                others = &window[2 * channels..];
            }
            others
                .chunks_exact(channels)
                .for_each(|pixel| bytes::larger_in_place(out, pixel));
        }
    }
}

/// Each pixel repeated `factor × factor` times.
///
/// # Shapes
/// `out[rows][input.w · factor][c]`, from `row` on; both are multiples of `factor`.
pub fn upsample2d(input: &Rows<'_>, factor: usize, (out, row): (&mut [i8], usize)) {
    let row_len = usize::from(input.shape.w) * factor * input.channels();
    for (row, out) in (row..).step_by(factor).zip(out.chunks_exact_mut(factor * row_len)) {
        repeat_row(input, factor, (out, row));
    }
}

/// By four codes, each a load and a store: a pixel is too short for what a copy of any length begins with.
#[inline(always)]
fn copy_pixel(pixel: &[i8], copy: &mut [i8]) {
    let (quads, rest) = pixel.as_chunks::<4>();
    let (copied_quads, copied_rest) = copy.as_chunks_mut::<4>();
    for (copy, quad) in copied_quads.iter_mut().zip(quads) {
        *copy = *quad;
    }
    for (copy, code) in copied_rest.iter_mut().zip(rest) {
        *copy = *code;
    }
}

fn repeat_row(input: &Rows<'_>, factor: usize, (out, row): (&mut [i8], usize)) {
    let channels = input.channels();
    let Some(codes) = input.row((row / factor) as isize) else {
        return;
    };
    let (first, others) = out.split_at_mut(codes.len() * factor);
    for (pixel, copies) in codes
        .chunks_exact(channels)
        .zip(first.chunks_exact_mut(channels * factor))
    {
        copies
            .chunks_exact_mut(channels)
            .for_each(|copy| copy_pixel(pixel, copy));
    }
    others
        .chunks_exact_mut(first.len())
        .for_each(|copy| copy.copy_from_slice(first));
}
