//! Two pixels times four output channels at a time.
//!
//! A word of columns takes 11 instructions for 16 products: two loads of weights, one of codes, eight `SMLAD`.
#![allow(unsafe_code)]

use core::arch::global_asm;
use core::mem::MaybeUninit;
use core::ptr;

use super::super::{MAX_LINES, Windows};
#[cfg(fpu)]
use super::pixels::Pixels;
use crate::layout::tiles::{CHANNELS, PIXELS, stream_words, window_words};

// In the unrolled steps all registers are taken:
//
//   r0 weights   r1 x   r2..r5 sums of the first pixel   r6..r9 of the second   r10, r11 x   r12, lr weights
//
// Frame, what the end of a group needs in front, in the order of an LDM:
//
//   +0 x   +4 out   +8 from behind it to the second pixel's   +12 end of out   +16 entry of a group   +20 zero point
//   +24 end of x   +28 bytes of x   +32 quads, negative for sums   +36 entry for quads   +40 zeros for sums
//   +120 pairs, or null: an argument
//
// A pass is eight quads, and is entered where their number asks for; nine, as three rows of three pixels of three channels have,
// still take a single one. No step changes the flags: the carry is clear if one pass ends the group, which then takes a single
// branch. With the carry set, the end of a pass looks whether there are more, then
// whether sums are wanted.
global_asm!(
    r#"
    .pushsection .text.trident_tiles,"ax",%progbits
    .syntax unified
    .arch   armv7e-m

    .macro  trident_tiles_word
    ldm     r1!, {r10, r11}
    ldm     r0!, {r12, lr}
    smlad   r2, r10, r12, r2
    smlad   r3, r10, lr, r3
    smlad   r6, r11, r12, r6
    smlad   r7, r11, lr, r7
    ldm     r0!, {r12, lr}
    smlad   r4, r10, r12, r4
    smlad   r5, r10, lr, r5
    smlad   r8, r11, r12, r8
    smlad   r9, r11, lr, r9
    .endm

    // r0 stream, r1 x, r2 quads, with the highest bit set for sums, r3 zero point; then out, four bytes before the second
    // pixel's, end of out, pairs.
    // Pairs: after the codes asked for, those of each pair of windows, widened to x.
    // Codes: a group per four outputs, all of the same x. Sums: weights and x per eight outputs, one after the other.
    .global trident_tiles
    .type   trident_tiles, %function
    .thumb_func
    .p2align 2
trident_tiles:
    push    {r4-r11, lr}
    sub     sp, #72
    add     r4, sp, #108
    ldm     r4, {r10, r11, r12}
    sub     r11, r11, r10
    stm     sp, {r1, r10, r11, r12}
    movs    r5, #88                 // bytes of a quad
    adr.w   r6, 3f + 1
    cmp     r2, #9
    bhi     1f
    rsb     r4, r2, #8              // skip as many quads as are missing
    mla     lr, r4, r5, r6
    strd    lr, r3, [sp, #16]
    b.w     6f

1:  rsb     r4, r2, #0              // skip as many quads of a pass as leave whole passes
    and     r4, r4, #7
    mla     r4, r4, r5, r6
    adr.w   lr, 2f + 1
    strd    lr, r3, [sp, #16]
    lsls    r5, r2, #4
    add     r3, r1, r5
    strd    r3, r5, [sp, #24]
    strd    r2, r4, [sp, #32]
    cmp     r2, #0
    bpl.w   6f
    add     r11, sp, #40
    movs    r2, #0
    movs    r3, #0
    strd    r2, r3, [r11]
    strd    r2, r3, [r11, #8]
    strd    r2, r3, [r11, #16]
    strd    r2, r3, [r11, #24]
    b.w     8f

2:  cmp     r0, r0                  // sets the carry
    ldr.w   pc, [sp, #36]

    .p2align 2
    .rept   2                       // a ninth quad, of groups that have no more
    trident_tiles_word
    .endr
3:  .rept   16
    trident_tiles_word
    .endr
    bcc     4f
    ldrd    r10, r11, [sp, #24]
    cmp     r10, r1
    bhi.w   3b
    ldr     r12, [sp, #32]
    cmp     r12, #0
    bmi     7f

4:  ldr     r1, [sp, #20]
    ldm     r0!, {r10, r11, r12, lr}
    smmlar  r2, r2, r10, r1
    smmlar  r3, r3, r11, r1
    smmlar  r4, r4, r12, r1
    smmlar  r5, r5, lr, r1
    smmlar  r6, r6, r10, r1
    smmlar  r7, r7, r11, r1
    smmlar  r8, r8, r12, r1
    smmlar  r9, r9, lr, r1
    .irp    code, r2, r3, r4, r5, r6, r7, r8, r9
    ssat    \code, #8, \code
    .endr
    ldm     sp, {r1, r10, r11, r12, lr}
    bfi     r2, r3, #8, #8
    bfi     r4, r5, #8, #8
    pkhbt   r2, r2, r4, lsl #16
    str     r2, [r10], #4           // first, since fewer than four channels leave their rest to the second pixel
    bfi     r6, r7, #8, #8
    bfi     r8, r9, #8, #8
    pkhbt   r6, r6, r8, lsl #16
    str     r6, [r10, r11]
    str     r10, [sp, #4]
6:  cmp     r10, r12                // clears the carry as long as out is below its end
    beq     9f
    ldm     r0, {r2-r5}
    ldm     r0!, {r6-r9}
    bx      lr

7:  ldr     r10, [sp, #4]           // sums; x goes on, its end does so too
    add     r12, r1, r11
    str     r12, [sp, #24]
    stm     r10!, {r2-r9}
    str     r10, [sp, #4]
    ldr     r12, [sp, #12]
    add     r11, sp, #40
8:  cmp     r10, r12
    beq     9f
    ldm     r11, {r2-r9}
    cmp     r0, r0
    ldr.w   pc, [sp, #36]

9:  ldr     r0, [sp, #120]
    cbz     r0, 10f
    ldr     r1, [r0]
    subs    r1, #1
    bhs     11f
10: add     sp, #72
    pop     {r4-r11, pc}

    // The next pair. Of each line:
    //
    //   r0, r1 codes of both pixels   r2 x   r3 bits too many in the last word   r4..r7 four codes of both   r8 cursor
    //   r9 bytes of whole quads   r10 entry   r11 from their end to the last word   r12 their end   lr lines left
11: mov     r8, r0
    str     r1, [r8], #8
    ldm     r8!, {r3, r4}
    ldr     r2, [sp]
    ldr     r10, [sp, #4]
    add     r10, r3
    add     r12, r10, r4
    str     r10, [sp, #4]
    str     r12, [sp, #12]
    ldm     r8!, {r3, r9, r10, r11, lr}
    movs    r4, #26                 // bytes of a quad
    adr.w   r5, 13f + 1
    mla     r10, r10, r4, r5
12: ldrd    r0, r4, [r8]
    add     r1, r0, r4
    add     r4, r1
    str     r4, [r8], #8
    add     r12, r0, r9
    bx      r10

    .p2align 2
13: .rept   4
    ldr     r6, [r0], #4
    ldr     r7, [r1], #4
    sxtb16  r4, r6
    sxtb16  r5, r7
    sxtb16  r6, r6, ror #8
    sxtb16  r7, r7, ror #8
    stm     r2!, {r4-r7}
    .endr
    cmp     r0, r12
    blo     13b
    cbz     r3, 14f
    ldr     r6, [r0, r11]           // one to three codes, in a word that ends with them
    ldr     r7, [r1, r11]
    lsrs    r6, r3
    lsrs    r7, r3
    sxtb16  r4, r6
    sxtb16  r5, r7
    sxtb16  r6, r6, ror #8
    sxtb16  r7, r7, ror #8
    stm     r2!, {r4-r7}
14: subs    lr, #1
    bne     12b
    ldr     r1, [sp, #120]
    ldr     r0, [r1, #4]
    ldm     sp, {r1, r10, r11, r12, lr}
    b.w     6b

    .purgem trident_tiles_word
    .size   trident_tiles, . - trident_tiles
    .popsection
    "#,
    options(raw)
);

// Two quads of both pixels at a time, then one, then what is left.
global_asm!(
    r#"
    .pushsection .text.trident_tile_widen,"ax",%progbits
    .syntax unified
    .arch   armv7e-m

    .macro  trident_tile_widen_quad
    ldr     r6, [r0], #4
    ldr     r7, [r1], #4
    sxtb16  r4, r6
    sxtb16  r5, r7
    sxtb16  r6, r6, ror #8
    sxtb16  r7, r7, ror #8
    stm     r2!, {r4-r7}
    .endm

    // r0 codes of the first pixel, r1 of the second, r2 out, r3 end of the first pixel's
    .global trident_tile_widen
    .type   trident_tile_widen, %function
    .thumb_func
    .p2align 2
trident_tile_widen:
    push    {r4-r7, lr}
    sub     r12, r3, #8
    cmp     r0, r12
    bhi     2f
1:  trident_tile_widen_quad
    trident_tile_widen_quad
    cmp     r0, r12
    bls     1b
2:  add     r12, #4
    cmp     r0, r12
    bhi     3f
    trident_tile_widen_quad
3:  subs    r12, r3, r0
    beq     5f
    ldrsb   r4, [r0], #1            // one to three codes
    ldrsb   r5, [r1], #1
    movs    r6, #0
    movs    r7, #0
    uxth    r4, r4
    uxth    r5, r5
    cmp     r12, #2
    blo     4f
    ldrsb   r6, [r0], #1
    ldrsb   r7, [r1], #1
    uxth    r6, r6
    uxth    r7, r7
    bls     4f
    ldrsb   r12, [r0]
    ldrsb   r3, [r1]
    pkhbt   r4, r4, r12, lsl #16
    pkhbt   r5, r5, r3, lsl #16
4:  stm     r2!, {r4-r7}
5:  pop     {r4-r7, pc}

    .purgem trident_tile_widen_quad
    .size   trident_tile_widen, . - trident_tile_widen
    .popsection
    "#,
    options(raw)
);

const _: () = assert!(CHANNELS == 4 && PIXELS == 2);

unsafe extern "C" {
    fn trident_tiles(
        stream: *const u32,
        x: *const u32,
        quads: usize,
        zero_point: i32,
        out: *mut u8,
        second: *mut u8,
        out_end: *const u8,
        pairs: *mut Pairs,
    );
    fn trident_tile_widen(first: *const i8, second: *const i8, out: *mut u32, first_end: *const i8);
}

/// What `trident_tiles` reads and writes at a pair of windows, in the order of its loads.
#[repr(C)]
struct Pairs {
    left: usize,
    stream: *const u32,
    /// From the end of out to the next pair's, and from there to its end.
    advance: isize,
    extent: usize,
    /// Of a line's last word, if it is no whole quad: bits to shift out.
    excess: usize,
    /// Bytes of the whole quads of a line.
    quads: usize,
    /// Quads to skip of the unrolled ones: as many as leave whole passes.
    skip: usize,
    /// From the end of the whole quads to the last word.
    last: isize,
    lines: usize,
    /// As many as there are lines.
    cursors: [MaybeUninit<Cursor>; MAX_LINES],
}

/// A line's codes of the next window, and from window to window.
#[repr(C)]
#[derive(Clone, Copy)]
struct Cursor {
    codes: *const i8,
    step: usize,
}

/// Quads that a pass of widening has.
const WIDENED: usize = 4;

/// Words of both pixels that a quad of codes widens to.
const QUAD: usize = 2 * PIXELS;
/// Set in the quads of `trident_tiles` if sums are wanted, not codes.
const SUMS: usize = 1 << 31;

/// Widens the codes of two pixels for [`codes`] and [`sums`], word by word in turn; what is missing to whole quads counts as zero.
///
/// # Shapes
/// `out`: four words per quad of the longer; `codes` are of the same length.
///
/// # Panics
/// If their lengths differ, or `out` is shorter.
pub fn widen([first, second]: [&[i8]; PIXELS], out: &mut [u32]) {
    assert!(first.len() == second.len() && first.len().div_ceil(4) * QUAD <= out.len());
    if first.is_empty() {
        return;
    }
    // SAFETY: the function reads each code of both pixels once, as many of the second as of the first, and writes four words per four
    // codes begun, so many as there are. There is one code at least.
    unsafe {
        trident_tile_widen(
            first.as_ptr(),
            second.as_ptr(),
            out.as_mut_ptr(),
            first.as_ptr_range().end,
        );
    }
}

/// Codes of all output channels of two pixels.
///
/// # Shapes
/// `x`: from [`widen`]; `stream`: one group per [`CHANNELS`] codes of each `out`, of `x.len() / 2` words a channel.
///
/// # Panics
/// If `x` is no whole number of quads, or none, or the stream is shorter.
pub fn codes(stream: &[u32], x: &[u32], zero_point: i8, [first, second]: [&mut [i8]; PIXELS]) {
    let groups = first.len().min(second.len()) / CHANNELS;
    assert!(!x.is_empty() && x.len().is_multiple_of(QUAD));
    let group_words = x.len() / PIXELS * CHANNELS + 2 * CHANNELS;
    assert!(groups.saturating_mul(group_words) <= stream.len());
    let first = first[..groups * CHANNELS].as_mut_ptr_range();
    // SAFETY: the function goes over `first` from its start to the end of its last whole group, four codes at a time, and stops
    // there at once if there is none; it writes each four, and four at the same place of `second`. Per group it reads all
    // of `x`, which is as many quads as it is told, and `group_words` words of the stream.
    unsafe {
        trident_tiles(
            stream.as_ptr(),
            x.as_ptr(),
            x.len() / QUAD,
            i32::from(zero_point),
            first.start.cast(),
            second.as_mut_ptr().cast::<u8>().wrapping_sub(CHANNELS),
            first.end.cast(),
            ptr::null_mut(),
        );
    }
}

/// How many codes [`row`] reads in front of a first window, of lines whose windows have `segment` codes and stand `step` apart.
pub const fn codes_before(lines: usize, segment: usize, step: usize) -> usize {
    if takes_pixels(lines, segment, step) {
        0
    } else {
        4usize.saturating_sub(segment)
    }
}

/// Whether [`row`] leaves such windows to [`Pixels`], if there are any here.
const fn takes_pixels(lines: usize, segment: usize, step: usize) -> bool {
    #[cfg(fpu)]
    let takes = lines == 1 && Pixels::take(segment, step);
    #[cfg(not(fpu))]
    let takes = {
        let _ = (lines, segment, step);
        false
    };
    takes
}

/// Codes of all output channels of pairs of windows, each widened to `x`.
///
/// A pixel is written in whole groups, one pixel after the other: what a group has beyond the `channels`, the next pixel
/// overwrites, and the last pixel leaves behind it.
///
/// # Shapes
/// `x`: room for [`PIXELS`] windows; `stream`: one group per [`CHANNELS`] output channels begun; `out[pixels][channels]`, of channels that are
/// fewer than a group, or a multiple of one.
///
/// # Panics
/// If fewer codes stand in front of the first window than [`codes_before`] tells, or the last ends behind its line; if there are other
/// channels, no lines, or too many; if `x`, the stream, or `out` are shorter.
pub fn row(stream: &[u32], windows: &Windows<'_>, x: &mut [u32], zero_point: i8, (out, channels): (&mut [i8], usize)) {
    let Windows { lines, segment, pairs } = *windows;
    if pairs == 0 {
        return;
    }
    let (extent, rest) = (channels.next_multiple_of(CHANNELS), segment % 4);
    assert!(channels > 0 && (channels == extent || channels < CHANNELS));
    assert!((1..=MAX_LINES).contains(&lines.len()) && segment > 0);
    let x = &mut x[..window_words(lines.len(), segment).saturating_mul(PIXELS)];
    // What saturates is longer than any slice.
    let last_pixel = pairs.saturating_mul(PIXELS) - 1;
    let len = |step: usize, own: usize| last_pixel.saturating_mul(step).saturating_add(own);
    assert!(len(channels, extent) <= out.len());
    assert!(stream_words(extent, x.len() / PIXELS) <= stream.len());
    let advance = (PIXELS * channels) as isize - extent as isize;
    // The step counts only where there is a single line.
    let first = &lines[0];
    let before = codes_before(lines.len(), segment, first.step);
    for line in lines {
        assert!(line.first >= before && line.first <= line.codes.len());
        assert!(len(line.step, segment) <= line.codes.len() - line.first);
    }
    #[cfg(fpu)]
    if takes_pixels(lines.len(), segment, first.step) {
        let pixels = Pixels {
            zero_point: zero_point.into(),
            stream: stream.as_ptr(),
            left: pairs,
            codes: first.codes[first.first..].as_ptr(),
            step: first.step,
            advance,
            extent,
        };
        // SAFETY: segments are such as it takes. The last pixel's lies inside the line, and `extent` bytes from its
        // place of `out` on inside `out`; those before it begin a multiple of the step and of the channels earlier. The stream was
        // found to have as many groups.
        return unsafe { pixels.run(segment, out.as_mut_ptr().cast(), channels) };
    }
    let mut pairs = Pairs {
        left: pairs,
        stream: stream.as_ptr(),
        advance,
        extent,
        excess: if rest == 0 { 0 } else { 8 * (4 - rest) },
        quads: segment - rest,
        skip: if segment < 4 {
            WIDENED
        } else {
            (segment / 4).wrapping_neg() % WIDENED
        },
        last: rest as isize - 4,
        lines: lines.len(),
        cursors: [MaybeUninit::uninit(); MAX_LINES],
    };
    for (line, cursor) in lines.iter().zip(&mut pairs.cursors) {
        cursor.write(Cursor {
            codes: line.codes[line.first..].as_ptr(),
            step: line.step,
        });
    }
    // The end of no pair, from which the first lies as far as each other from that before it.
    let none = out.as_mut_ptr().cast::<u8>().wrapping_offset(-advance);
    // SAFETY: the function begins with no group, since out is at its end. Of each line it then reads, pair by pair, the segments of two
    // windows, the last of which ends inside the line, in whole words: if a segment has a rest, its last word ends with it, and begins
    // inside the line, since even the first window's fourth code from the end does. Words of `x` it writes two per word of a window,
    // and reads as many with the groups of the stream. Each pixel gets `extent` bytes, from its place of `out` on.
    unsafe {
        trident_tiles(
            stream.as_ptr(),
            x.as_mut_ptr(),
            x.len() / QUAD,
            i32::from(zero_point),
            none,
            none.wrapping_add(channels).wrapping_sub(CHANNELS),
            none,
            &mut pairs,
        );
    }
}

/// Sums of products alone: the first pixel's four, then the second's.
///
/// # Shapes
/// `weights`: `x.len() / 2` words for each of four channels, word by word in turn.
///
/// # Panics
/// As [`codes`].
pub fn sums(weights: &[u32], x: &[u32], out: &mut [i32; PIXELS * CHANNELS]) {
    sums_in_turn(weights, x, x.len(), out);
}

/// As [`sums`], several times: for each `x_words` words of `x` the weights that follow, and eight sums.
///
/// # Panics
/// If `x_words` is no whole number of quads, or none, or weights or `x` are shorter than `out` asks for.
pub(super) fn sums_in_turn(weights: &[u32], x: &[u32], x_words: usize, out: &mut [i32]) {
    let times = out.len() / (PIXELS * CHANNELS);
    assert!(x_words > 0 && x_words.is_multiple_of(QUAD));
    let needed = times.saturating_mul(x_words);
    assert!(needed <= x.len() && needed.saturating_mul(CHANNELS / PIXELS) <= weights.len());
    let out = out[..times * PIXELS * CHANNELS].as_mut_ptr_range();
    // SAFETY: the function goes over `out` from its start to its end, eight sums at a time, and stops there at once if there are
    // none. Each time it reads the next `x_words` words of `x`, in whole quads, and twice as many of the weights.
    unsafe {
        trident_tiles(
            weights.as_ptr(),
            x.as_ptr(),
            (x_words / QUAD) | SUMS,
            0,
            out.start.cast(),
            ptr::null_mut(),
            out.end.cast(),
            ptr::null_mut(),
        );
    }
}
