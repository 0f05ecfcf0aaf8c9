//! Four channels of a row, each with its own window, in assembly; what each function does is written in
//! [`portable::depthwise`](super::super::portable::depthwise).
#![allow(unsafe_code)]

use core::arch::global_asm;

pub use super::super::portable::depthwise::{COLUMN2_WORDS, COLUMN3_WORDS};
use super::super::{Border, Quads};
use crate::layout::depthwise::{CHANNELS, DOUBLED_WORDS, SIDE, WINDOW_WORDS};

global_asm!(
    r#"
@ columns3(out, rows): codes and pitch of three rows; the border's word; ends of the left border, of the pixels, of the right border.
@ Bytes of two rows are put side by side first: one extension then gives two rows of one channel.
@   r0 out   r1 end of the pixels   r2, r4, r6 codes of a row   r3, r5, r7 their pitches   r8-r12, lr a column
    .pushsection .text.trident_columns3,"ax",%progbits
    .global trident_columns3
    .type trident_columns3,%function
    .thumb_func
    .p2align 2
trident_columns3:
    push    {r1, r4-r11, lr}
    ldm     r1!, {r2-r8, r11}
    mov     r9, r8
    mov     r10, r8
    ldr     r1, [r1]
    b       2f
1:  stm     r0!, {r8-r10}
    stm     r0!, {r8-r10}
2:  cmp     r0, r11
    bne     1b
    cmp     r0, r1
    beq     4f
3:  ldr     r8, [r2]
    ldr     r10, [r4]
    ldr     r12, [r6]
    add     r2, r3
    add     r4, r5
    add     r6, r7
    pkhbt   r9, r8, r10, lsl #16        @ a0 a1 b0 b1
    pkhtb   r11, r10, r8, asr #16       @ a2 a3 b2 b3
    sxtb16  r8, r9
    sxtb16  r9, r9, ror #8
    sxtb16  r10, r11
    sxtb16  r11, r11, ror #8
    sxtb16  lr, r12, ror #8
    sxtb16  r12, r12
    stm     r0!, {r8-r12, lr}
    cmp     r0, r1
    bne     3b
4:  pop     {r1}
    ldr     r8, [r1, #24]
    ldr     r11, [r1, #36]
    mov     r9, r8
    mov     r10, r8
    b       6f
5:  stm     r0!, {r8-r10}
    stm     r0!, {r8-r10}
6:  cmp     r0, r11
    bne     5b
    pop     {r4-r11, pc}
    .size trident_columns3, . - trident_columns3
    .popsection

@ columns2(out, rows): codes and pitch of three rows; the border's word; end of the pixels; the second half of out. At least one pixel.
@   r0 out   r1 its second half   r2, r4, r6 codes of a row   r3, r5, r7 their pitches   r8-r11 a column   r12, lr the two last rows
    .pushsection .text.trident_columns2,"ax",%progbits
    .global trident_columns2
    .type trident_columns2,%function
    .thumb_func
    .p2align 2
trident_columns2:
    push    {r4-r11, lr}
    ldm     r1, {r2-r8, r10, r12}
    push    {r8, r10}
    mov     r9, r8
    mov     r10, r8
    mov     r11, r8
    mov     r1, r12
    stm     r0!, {r8-r11}
    stm     r1!, {r8-r11}
1:  ldr     r8, [r2]
    ldr     r12, [r4]
    ldr     lr, [r6]
    add     r2, r3
    add     r4, r5
    add     r6, r7
    pkhbt   r9, r8, r12, lsl #16
    pkhtb   r11, r12, r8, asr #16
    sxtb16  r8, r9
    sxtb16  r9, r9, ror #8
    sxtb16  r10, r11
    sxtb16  r11, r11, ror #8
    stm     r0!, {r8-r11}
    pkhbt   r9, r12, lr, lsl #16
    pkhtb   r11, lr, r12, asr #16
    ldr     r12, [sp, #4]
    sxtb16  r8, r9
    sxtb16  r9, r9, ror #8
    sxtb16  r10, r11
    sxtb16  r11, r11, ror #8
    stm     r1!, {r8-r11}
    cmp     r0, r12
    bne     1b
    pop     {r8, r9}
    mov     r9, r8
    mov     r10, r8
    mov     r11, r8
    stm     r0!, {r8-r11}
    stm     r1!, {r8-r11}
    pop     {r4-r11, pc}
    .size trident_columns2, . - trident_columns2
    .popsection

@ Stride 1: one output, from its last column on. A window's sum moves from r12 to r11 as its columns go by, so registers need not
@ change their roles. `half` is the half of the words of the third row that the channel has, `third` where they are.
@   r0 a column's pair      lr its third row      r1 columns      r2 out
@   r3 (w00, w10)  r4 (w01, w11)  r5 (w02, w12)  r6 (w20, w21)  r7 (w22, pitch)  r8 bias  r9 q  r10 zero point
@   r11 sum of the output, of two columns   r12 sum of the next one, of one column
    .macro trident_by1 half, third
    ldr     lr, [r1, #\third]
    ldr     r0, [r1], #24
    smlad   r11, r0, r5, r11
    smla\half\()b r11, lr, r7, r11
    smmlar  r11, r11, r9, r10
    ssat    r11, #8, r11
    strb    r11, [r2]
    uxtah   r2, r2, r7, ror #16
    smlad   r11, r0, r4, r12
    smla\half\()t r11, lr, r6, r11
    smlad   r12, r0, r3, r8
    smla\half\()b r12, lr, r6, r12
    .endm

@ Stride 2: one output, from its second column on.
@   r11 sum of the output, of its first column   r12 end of columns   others as above
    .macro trident_by2 half, third
    ldr     lr, [r1, #\third]
    ldr     r0, [r1], #24
    smlad   r11, r0, r4, r11
    smla\half\()t r11, lr, r6, r11
    ldr     lr, [r1, #\third]
    ldr     r0, [r1], #24
    smlad   r11, r0, r5, r11
    smla\half\()b r11, lr, r7, r11
    smmlar  r11, r11, r9, r10
    ssat    r11, #8, r11
    strb    r11, [r2]
    uxtah   r2, r2, r7, ror #16
    smlad   r11, r0, r3, r8
    smla\half\()b r11, lr, r6, r11
    .endm

@ Starts a channel: its weights, its first column into r12.
@ On the stack: weights, columns and out of the next channel, pitch, end of this one's columns, pixels, 1 or -1 by turns.
    .macro trident_channel half, third
    ldm     sp, {r0, r1, r2, r12}
    ldm     r0!, {r3-r9}
    pkhbt   r7, r7, r12, lsl #16
    add     r11, r1, #4
    add     r12, r2, #1
    stm     sp, {r0, r11, r12}
    ldr     lr, [r1, #\third]
    ldr     r0, [r1], #24
    smlad   r12, r0, r3, r8
    smla\half\()b r12, lr, r6, r12
    .endm

@ Ends a channel; minus if it was the first of two.
    .macro trident_next
    ldr     r3, [sp, #16]
    ldr     r4, [sp, #24]
    adds    r3, #4
    str     r3, [sp, #16]
    rsbs    r4, #0
    str     r4, [sp, #24]
    .endm

@ Start and end of both functions (weights, columns, zero point, out, pitch, pixels); at least one pixel.
    .macro trident_enter column_shift, columns
    push    {r4-r11, lr}
    ldr     r4, [sp, #36]               @ pitch
    ldr     r6, [sp, #40]               @ pixels
    mov     r10, r2
    add     r5, r6, r6, lsl #1          @ 24 bytes a column
    add     r5, r1, r5, lsl #\column_shift
    add     r5, r5, #\columns           @ end of the first channel's columns
    movs    r7, #1
    push    {r0, r1, r3-r7}
    .endm
    .macro trident_leave
    add     sp, #28
    pop     {r4-r11, pc}
    .endm

    .macro trident_channels1 half, third
1:  trident_channel \half, \third
    ldr     r0, [sp, #20]
    lsls    r0, r0, #31                 @ an odd number of outputs is one and then pairs
    ldr     lr, [r1, #\third]
    ldr     r0, [r1], #24
    smlad   r11, r0, r4, r12
    smla\half\()t r11, lr, r6, r11
    smlad   r12, r0, r3, r8
    smla\half\()b r12, lr, r6, r12
    bmi     3f
2:  trident_by1 \half, \third
3:  trident_by1 \half, \third
    ldr     r0, [sp, #16]
    cmp     r1, r0
    bne     2b
    trident_next
    bmi     1b
    .endm

    .pushsection .text.trident_window3x3,"ax",%progbits
    .global trident_window3x3
    .type trident_window3x3,%function
    .thumb_func
    .p2align 2
trident_window3x3:
    trident_enter 3, 48
    trident_channels1 b, 16
    trident_channels1 t, 8
    trident_leave
    .size trident_window3x3, . - trident_window3x3
    .popsection

    .macro trident_channels2 half, third
1:  trident_channel \half, \third
    mov     r11, r12
    ldr     r12, [sp, #16]
    ldr     r0, [sp, #20]
    lsls    r0, r0, #31
    bmi     3f
2:  trident_by2 \half, \third
3:  trident_by2 \half, \third
    cmp     r1, r12
    bne     2b
    trident_next
    bmi     1b
    .endm

    .pushsection .text.trident_window3x3_by2,"ax",%progbits
    .global trident_window3x3_by2
    .type trident_window3x3_by2,%function
    .thumb_func
    .p2align 2
trident_window3x3_by2:
    trident_enter 4, 24
    trident_channels2 b, 16
    trident_channels2 t, 8
    trident_leave
    .size trident_window3x3_by2, . - trident_window3x3_by2
    .popsection

@ One pixel: two outputs, from its left neighbour \x, itself \y, and its right neighbour, which takes the left one's place.
@   r0, r12 columns   r1 further columns   r2 out
@   r3, r4 weights of even columns   r5, r6 of odd ones   r7 bias   r8 q   r9 zero point   r10 pitch   r11 end of columns
    .macro trident_doubled x, y
    smlad   lr, \x, r3, r7
    smlad   lr, \y, r4, lr
    ldr     \x, [r1], #16
    smmlar  lr, lr, r8, r9
    ssat    lr, #8, lr
    strb    lr, [r2]
    smlad   lr, \y, r5, r7
    smlad   lr, \x, r6, lr
    smmlar  lr, lr, r8, r9
    ssat    lr, #8, lr
    strb    lr, [r2, r10]
    add     r2, r2, r10, lsl #1
    .endm

@ doubled3x3(weights, columns, zero point, out, pitch, pixels); at least one pixel.
@ On the stack: weights, columns and out of the next channel, end of the last one's columns.
    .pushsection .text.trident_doubled3x3,"ax",%progbits
    .global trident_doubled3x3
    .type trident_doubled3x3,%function
    .thumb_func
    .p2align 2
trident_doubled3x3:
    push    {r4-r11, lr}
    ldr     r10, [sp, #36]
    ldr     r4, [sp, #40]
    mov     r9, r2
    add     r11, r1, r4, lsl #4
    add     r11, r11, #32
    add     r4, r11, #16
    push    {r0, r1, r3, r4}
1:  ldm     sp, {r0, r1, r2}
    ldm     r0!, {r3-r8}
    add     r12, r1, #4
    add     lr, r2, #1
    stm     sp, {r0, r12, lr}
    sub     lr, r11, r1
    lsls    lr, lr, #27                 @ an odd number of pixels is one and then pairs
    bmi     4f
    ldr     r0, [r1], #16
    ldr     r12, [r1], #16
2:  trident_doubled r0, r12
3:  trident_doubled r12, r0
    cmp     r1, r11
    bne     2b
    ldr     lr, [sp, #12]
    add     r11, r11, #4
    cmp     r11, lr
    bne     1b
    add     sp, #16
    pop     {r4-r11, pc}
4:  ldr     r12, [r1], #16
    ldr     r0, [r1], #16
    b       3b
    .size trident_doubled3x3, . - trident_doubled3x3
    .popsection

    .purgem trident_by1
    .purgem trident_by2
    .purgem trident_channel
    .purgem trident_next
    .purgem trident_enter
    .purgem trident_leave
    .purgem trident_channels1
    .purgem trident_channels2
    .purgem trident_doubled

"#,
    options(raw)
);

/// A row of codes as the assembly reads it.
#[repr(C)]
struct Row {
    codes: *const i8,
    pitch: usize,
}

impl Row {
    fn of(quads: Quads<'_>) -> Self {
        Self {
            codes: quads.codes.as_ptr(),
            pitch: quads.pitch,
        }
    }
}

#[repr(C)]
struct Columns3 {
    rows: [Row; 3],
    border: u32,
    ends: [*const u32; 3],
}

#[repr(C)]
struct Columns2 {
    rows: [Row; 3],
    border: u32,
    end: *const u32,
    second: *mut u32,
}

unsafe extern "C" {
    fn trident_columns3(out: *mut u32, columns: *const Columns3);
    fn trident_columns2(out: *mut u32, columns: *const Columns2);
    fn trident_window3x3(
        weights: *const u32,
        columns: *const u32,
        zero_point: i32,
        out: *mut i8,
        pitch: usize,
        pixels: usize,
    );
    fn trident_window3x3_by2(
        weights: *const u32,
        columns: *const u32,
        zero_point: i32,
        out: *mut i8,
        pitch: usize,
        pixels: usize,
    );
    fn trident_doubled3x3(
        weights: *const u32,
        columns: *const u32,
        zero_point: i32,
        out: *mut i8,
        pitch: usize,
        pixels: usize,
    );
}

/// Columns of three rows and their border; see [`portable`](super::super::portable::depthwise::columns3).
///
/// # Panics
/// If a row is too short, or the border is wider than `out`.
#[inline]
pub fn columns3(rows: [Quads<'_>; 3], border: &Border, out: &mut [u32]) {
    let columns = out.len() / COLUMN3_WORDS;
    assert!(border.left <= columns && border.right <= columns - border.left);
    let pixels = columns - border.left - border.right;
    assert!(rows.iter().all(|row| row.holds(pixels)));
    let out = out.as_mut_ptr();
    let ends =
        [border.left, border.left + pixels, columns].map(|end| out.wrapping_add(end * COLUMN3_WORDS).cast_const());
    let columns = Columns3 {
        rows: rows.map(Row::of),
        border: twice(border.code),
        ends,
    };
    // SAFETY: the function writes whole columns up to each of three ends, one after the other; none lies before the one that it follows,
    // and the last one is within `out` by the division above. Between the first two ends are `pixels` columns, for each of which it
    // reads four codes of each row, which the rows hold by the assertion. `out` is aligned as words are; codes need no alignment.
    unsafe { trident_columns3(out, &raw const columns) }
}

/// Columns of rows 0 and 1, then of rows 1 and 2; see [`portable`](super::super::portable::depthwise::columns2).
///
/// # Panics
/// If a row is too short, or `out` for a pixel and its border.
#[inline]
pub fn columns2(rows: [Quads<'_>; 3], border: i8, out: &mut [u32]) {
    let columns = out.len() / (2 * COLUMN2_WORDS);
    assert!(columns > 2 && rows.iter().all(|row| row.holds(columns - 2)));
    let out = out.as_mut_ptr();
    let columns = Columns2 {
        rows: rows.map(Row::of),
        border: twice(border),
        end: out.wrapping_add((columns - 1) * COLUMN2_WORDS),
        second: out.wrapping_add(columns * COLUMN2_WORDS),
    };
    // SAFETY: the function writes `columns` columns from `out` and as many from `second` on, which by the division above are all within
    // `out`. All but the first and the last are of pixels, of which there is one at least, and for each it reads four codes of each
    // row, which the rows hold by the assertion. `out` is aligned as words are; codes need no alignment.
    unsafe { trident_columns2(out, &raw const columns) }
}

/// A code in both halves of a word.
const fn twice(code: i8) -> u32 {
    (code as u8 as u32).wrapping_mul(0x1_0001) | if code < 0 { 0xFF00_FF00 } else { 0 }
}

/// A row of 3×3 windows, `stride` columns apart; see [`portable`](super::super::portable::depthwise::window3x3).
///
/// # Panics
/// If a slice is too short, `pitch` does not fit 16 bits, or `stride` is neither 1 nor 2.
#[inline]
pub fn window3x3(
    weights: &[u32; CHANNELS * WINDOW_WORDS],
    columns: &[u32],
    stride: usize,
    zero_point: i8,
    (out, pitch, pixels): (&mut [i8], usize, usize),
) {
    if pixels == 0 {
        return;
    }
    assert!(holds_quads(out, pitch, pixels) && pitch <= usize::from(u16::MAX));
    let window = match stride {
        1 => trident_window3x3,
        2 => trident_window3x3_by2,
        _ => panic!(),
    };
    let last = (pixels - 1)
        .checked_mul(stride)
        .and_then(|column| column.checked_add(SIDE));
    assert!(last.is_some_and(|count| count <= columns.len() / COLUMN3_WORDS));
    // SAFETY: the function reads four channels' weights, which the array has, and the columns from the first window's first to the last
    // window's last, of which there are as many as asserted; it stops at the end of that last one, which it meets exactly because
    // `pixels` is not zero. It writes four codes at `pitch` from each other, which `out` holds by the assertion, adding no more to
    // its address than the 16 bits that `pitch` fits. Weights and columns are aligned as words are; codes need no alignment.
    unsafe {
        window(
            weights.as_ptr(),
            columns.as_ptr(),
            zero_point.into(),
            out.as_mut_ptr(),
            pitch,
            pixels,
        );
    }
}

/// A row of 3×3 windows over doubled pixels; see [`portable`](super::super::portable::depthwise::doubled3x3).
///
/// # Panics
/// If a slice is too short.
#[inline]
pub fn doubled3x3(
    weights: &[u32; CHANNELS * DOUBLED_WORDS],
    columns: &[u32],
    zero_point: i8,
    (out, pitch, pixels): (&mut [i8], usize, usize),
) {
    if pixels == 0 {
        return;
    }
    assert!(
        pixels
            .checked_add(2)
            .is_some_and(|count| count <= columns.len() / COLUMN2_WORDS)
    );
    assert!(holds_quads(out, pitch, 2 * pixels));
    // SAFETY: the function reads four channels' weights, which the array has, and `pixels + 2` columns, as many as asserted; it stops
    // at the end of the last one, which it meets exactly because `pixels` is not zero. It writes four codes at `pitch` from each
    // other, `2 · pixels` times, which `out` holds. Weights and columns are aligned as words are; codes need no alignment.
    unsafe {
        trident_doubled3x3(
            weights.as_ptr(),
            columns.as_ptr(),
            zero_point.into(),
            out.as_mut_ptr(),
            pitch,
            pixels,
        );
    }
}

/// Whether four codes every `pitch` bytes, `pixels` times, lie inside.
fn holds_quads(codes: &[i8], pitch: usize, pixels: usize) -> bool {
    Quads { codes, pitch }.holds(pixels)
}
