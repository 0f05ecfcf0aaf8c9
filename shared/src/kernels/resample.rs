//! Fewer pixels, or more.

use crate::spec::Shape;

/// The largest code of each `size × size` window, moved by `size`; what is left over at the far border is dropped.
///
/// # Shapes
/// `codes[input]`, `out[input.h / size][input.w / size][input.c]`.
pub fn max_pool2d((codes, input): (&[i8], Shape), size: usize, out: &mut [i8]) {
    let (width, channels) = (usize::from(input.w), usize::from(input.c));
    let out_width = width / size;
    for (index, pixel) in out.chunks_exact_mut(channels).enumerate() {
        let (y, x) = (index / out_width * size, index % out_width * size);
        pixel.fill(i8::MIN);
        for row in y..y + size {
            let start = (row * width + x) * channels;
            for tap in codes[start..start + size * channels].chunks_exact(channels) {
                for (largest, &code) in pixel.iter_mut().zip(tap) {
                    *largest = code.max(*largest);
                }
            }
        }
    }
}

/// Each pixel repeated `factor × factor` times.
///
/// # Shapes
/// `codes[input]`, `out[input.h · factor][input.w · factor][input.c]`.
pub fn upsample2d((codes, input): (&[i8], Shape), factor: usize, out: &mut [i8]) {
    let channels = usize::from(input.c);
    let out_row = usize::from(input.w) * factor * channels;
    for (row, block) in codes
        .chunks_exact(usize::from(input.w) * channels)
        .zip(out.chunks_exact_mut(out_row * factor))
    {
        let (first, others) = block.split_at_mut(out_row);
        for (pixel, copies) in row
            .chunks_exact(channels)
            .zip(first.chunks_exact_mut(channels * factor))
        {
            copies
                .chunks_exact_mut(channels)
                .for_each(|copy| copy.copy_from_slice(pixel));
        }
        others
            .chunks_exact_mut(out_row)
            .for_each(|copy| copy.copy_from_slice(first));
    }
}
