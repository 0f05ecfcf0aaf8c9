//! Operators that look at one place at a time: channels put together, codes kept in a range.

/// Pixel by pixel the channels of `a`, then those of `b`.
///
/// # Shapes
/// `a[pixels][channels_a]`, `b[pixels][channels_b]`, `out[pixels][channels_a + channels_b]`.
pub fn concat((a, channels_a): (&[i8], usize), (b, channels_b): (&[i8], usize), out: &mut [i8]) {
    let pixels = a.chunks_exact(channels_a).zip(b.chunks_exact(channels_b));
    for (out, (a, b)) in out.chunks_exact_mut(channels_a + channels_b).zip(pixels) {
        out[..channels_a].copy_from_slice(a);
        out[channels_a..].copy_from_slice(b);
    }
}

/// Codes below `lo` become `lo`, those above `hi` become `hi`.
///
/// # Panics
/// If `lo` is above `hi`.
pub fn clamp(codes: &mut [i8], lo: i8, hi: i8) {
    for code in codes {
        *code = (*code).clamp(lo, hi);
    }
}
