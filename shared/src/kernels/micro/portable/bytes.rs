//! Codes one by one: sums, the larger of two, tables, widening.

use super::widened;
use crate::arithmetic::AddCodes;

/// Widens codes, two words per four; what is missing to the last four counts as zero.
pub fn widen(codes: &[i8], out: &mut [u32]) {
    for (quad, out) in codes.chunks(4).zip(out.chunks_exact_mut(2)) {
        out.copy_from_slice(&widened(quad));
    }
}

/// A picture's bytes less 128, as codes.
pub fn centre(bytes: &[u8], out: &mut [i8]) {
    for (out, byte) in out.iter_mut().zip(bytes) {
        *out = (byte ^ 0x80) as i8;
    }
}

/// The larger of each two codes.
pub fn larger(a: &[i8], b: &[i8], out: &mut [i8]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = a.max(b);
    }
}

/// As [`larger`], in place of the first.
pub fn larger_in_place(a: &mut [i8], b: &[i8]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = b.max(*a);
    }
}

/// Each code's entry of a table, in place; that of −128 comes first.
pub fn look_up(table: &[i8; 256], codes: &mut [i8]) {
    for code in codes {
        *code = table[usize::from(*code as u8 ^ 0x80)];
    }
}

/// The code of the sum of each two.
pub fn add(a: &[i8], b: &[i8], rule: &AddCodes, out: &mut [i8]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = rule.apply(a, b);
    }
}

/// As [`add`], in place of the first.
pub fn add_in_place(a: &mut [i8], b: &[i8], rule: &AddCodes) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = rule.apply(*a, b);
    }
}

/// The code of the sum of each pixel of `a` with that of `b` which is doubled to two pixels.
///
/// # Shapes
/// `a[2 · pixels][channels]`, `b[pixels][channels]`, `out` as `a`.
pub fn add_doubled(a: &[i8], b: &[i8], channels: usize, rule: &AddCodes, out: &mut [i8]) {
    let pixels = a.chunks_exact(channels).zip(out.chunks_exact_mut(channels));
    for (pixel, (a, out)) in pixels.enumerate() {
        add(a, &b[pixel / 2 * channels..][..channels], rule, out);
    }
}

/// As [`add_doubled`], in place of `a`.
pub fn add_doubled_in_place(a: &mut [i8], b: &[i8], channels: usize, rule: &AddCodes) {
    for (pixel, a) in a.chunks_exact_mut(channels).enumerate() {
        add_in_place(a, &b[pixel / 2 * channels..][..channels], rule);
    }
}
