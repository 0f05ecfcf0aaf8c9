//! Four channels of a row, each with its own window, in assembly; what each function does is written in
//! [`portable::depthwise`](super::super::portable::depthwise).
#![allow(unsafe_code)]

use core::arch::global_asm;

pub use super::super::portable::depthwise::{COLUMN2_WORDS, COLUMN3_WORDS};
use super::super::{Border, Quads};
use super::columns::Columns3;
pub use super::doubled::doubled_rows3x3;
use crate::layout::depthwise::{CHANNELS, SIDE, WINDOW_WORDS};

global_asm!(
    r#"
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
@ On the stack: weights, columns and out of the next channel, pitch, end of this one's columns, pixels (stride 1: bytes of the unrolled
@ outputs that the first pass skips), 1 or -1 by turns.
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
    ldr     lr, [r1, #\third]
    ldr     r0, [r1], #24
    smlad   r11, r0, r4, r12
    smla\half\()t r11, lr, r6, r11
    smlad   r12, r0, r3, r8
    smla\half\()b r12, lr, r6, r12
    ldr     r0, [sp, #20]
    adr.w   lr, 2f + 1
    add     lr, r0
    bx      lr
    .p2align 2
2:  .rept   4
    trident_by1 \half, \third
    .endr
    ldr     r0, [sp, #16]
    cmp     r1, r0
    bne     2b
    trident_next
    bmi     1b
    .endm

    .pushsection .text.trident_window3x3,"ax",%progbits
    .arch   armv7e-m
    .global trident_window3x3
    .type trident_window3x3,%function
    .thumb_func
    .p2align 2
trident_window3x3:
    trident_enter 3, 48
    rsbs    r6, #0
    and     r6, r6, #3
    add     r6, r6, r6, lsl #1          @ 48 bytes an output
    lsls    r6, #4
    str     r6, [sp, #20]
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
    .arch   armv7e-m
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

    .purgem trident_by1
    .purgem trident_by2
    .purgem trident_channel
    .purgem trident_next
    .purgem trident_enter
    .purgem trident_leave
    .purgem trident_channels1
    .purgem trident_channels2

"#,
    options(raw)
);

unsafe extern "C" {
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
}

/// A row of 3×3 windows, four channels after the other; see [`portable`](super::super::portable::depthwise::row3x3).
///
/// # Panics
/// If a slice is too short, there are other than blocks of channels or too many, or the stride is neither 1 nor 2.
pub fn row3x3(
    stream: &[u32],
    rows: [Quads<'_>; 3],
    border: &Border,
    columns: &mut [u32],
    (stride, zero_point): (usize, i8),
    (out, pixels): (&mut [i8], usize),
) {
    if pixels == 0 {
        return;
    }
    let channels = out.len() / pixels;
    assert!(channels.is_multiple_of(CHANNELS) && channels <= usize::from(u16::MAX));
    assert!(channels * WINDOW_WORDS <= stream.len());
    let window = match stride {
        1 => trident_window3x3,
        2 => trident_window3x3_by2,
        _ => panic!(),
    };
    // What saturates is longer than any slice.
    let last = (pixels - 1).saturating_mul(stride).saturating_add(SIDE);
    assert!(last <= columns.len() / COLUMN3_WORDS);
    let mut source = Columns3::new(rows, channels, border, columns);
    let (columns, mut weights, mut out) = (columns.as_mut_ptr(), stream.as_ptr(), out.as_mut_ptr());
    for _ in 0..channels / CHANNELS {
        // SAFETY: there are as many blocks of columns. The function reads four channels' weights, which the stream has, and the columns
        // from the first window's first to the last window's last, of which there are as many as asserted; it stops at the end of that
        // last one, which it meets exactly because `pixels` is not zero. It writes four codes at a pitch of all channels from each
        // other, which `out` holds, adding no more to its address than 16 bits. Weights and columns are aligned as words
        // are; codes need no alignment.
        unsafe {
            source.fill(columns);
            window(weights, columns, zero_point.into(), out, channels, pixels);
        }
        weights = weights.wrapping_add(CHANNELS * WINDOW_WORDS);
        out = out.wrapping_add(CHANNELS);
    }
}
