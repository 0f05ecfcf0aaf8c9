//! Operators that look at one place at a time: sums, tables, channels put together.

use crate::arithmetic::AddCodes;

/// `out[i]` is the code of the sum of `a[i]` and `b[i]`.
pub fn add(a: &[i8], b: &[i8], rule: &AddCodes, out: &mut [i8]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = rule.apply(a, b);
    }
}

/// As [`add`], the result in place of `a`.
pub fn add_in_place(a: &mut [i8], b: &[i8], rule: &AddCodes) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = rule.apply(*a, b);
    }
}

/// `out[i] = table[codes[i] + 128]`.
///
/// # Panics
/// If the table has fewer than 256 entries.
pub fn lut(codes: &[i8], table: &[i8], out: &mut [i8]) {
    for (out, &code) in out.iter_mut().zip(codes) {
        *out = table[usize::from(code as u8 ^ 0x80)];
    }
}

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
