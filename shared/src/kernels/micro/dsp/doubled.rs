//! Two rows of windows over doubled pixels, four channels after the other, in assembly; what it does is written in
//! [`portable::depthwise`](super::super::portable::depthwise).
#![allow(unsafe_code)]

use core::arch::global_asm;

use super::super::Quads;
use super::super::portable::depthwise::COLUMN2_WORDS;
use super::columns::{Row, twice};
use crate::layout::depthwise::{CHANNELS, DOUBLED_WORDS};

global_asm!(
    r#"
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

@ doubled_rows(argument), whose words are
@   0, 4; 8, 12; 16, 20 codes and pitch of three rows   24 the border's word   28 end of the pixels in the first half of columns
@   32 second half   36 zero point   40 pitch of out   44 columns   48 out   52 weights of the even row   56 from behind a block of
@   them to the odd row's   60 from behind four channels to those of the row below   64 blocks left   68, 72, 76 from the codes of a
@   block to the next one's
@ At least one pixel and one block.
@ On the stack: 0 weights, 4 columns, 8 out of the next channel   12 end of the last one's columns   16 border   20 end of the pixels
@   24 argument
    .pushsection .text.trident_doubled_rows,"ax",%progbits
    .arch   armv7e-m
    .global trident_doubled_rows
    .type trident_doubled_rows,%function
    .thumb_func
    .p2align 2
trident_doubled_rows:
    push    {r4-r11, lr}
    sub     sp, #28
    str     r0, [sp, #24]

@ Columns of rows 0 and 1 and of rows 1 and 2. Bytes of two rows are put side by side first: one extension then gives two rows of
@ one channel.
@   r0 first half   r1 second half   r2, r4, r6 codes of a row   r3, r5, r7 their pitches   r8-r11 a column   r12, lr the two last rows
1:  ldm     r0, {r2-r8, r10, r12}
    ldrd    r9, r11, [r0, #68]
    ldr     lr, [r0, #76]
    add     r9, r2
    add     r11, r4
    add     lr, r6
    str     r9, [r0]
    str     r11, [r0, #8]
    str     lr, [r0, #16]
    ldr     r0, [r0, #44]
    strd    r8, r10, [sp, #16]
    mov     r1, r12
    mov     r9, r8
    mov     r10, r8
    mov     r11, r8
    stm     r0!, {r8-r11}
    stm     r1!, {r8-r11}
2:  ldr     r8, [r2]
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
    ldr     r12, [sp, #20]
    sxtb16  r8, r9
    sxtb16  r9, r9, ror #8
    sxtb16  r10, r11
    sxtb16  r11, r11, ror #8
    stm     r1!, {r8-r11}
    cmp     r0, r12
    bne     2b
    ldr     r8, [sp, #16]
    ldr     r12, [sp, #24]
    mov     r9, r8
    mov     r10, r8
    mov     r11, r8
    stm     r0, {r8-r11}
    stm     r1, {r8-r11}

@ The even row, from the first half, whose end the second half is.
    ldr     r11, [r12, #32]
    ldrd    r9, r10, [r12, #36]
    ldrd    r1, r2, [r12, #44]
    ldr     r0, [r12, #52]
3:  add     r4, r11, #16
    str     r4, [sp, #12]
4:  ldm     r0!, {r3-r8}
    add     r12, r1, #4
    add     lr, r2, #1
    stm     sp, {r0, r12, lr}
    sub     lr, r11, r1
    lsls    lr, lr, #27                 @ from how many of four pixels: carry and sign are bits 1 and 0 of two more than there are
    bmi     8f
    ldr     r0, [r1], #16
    ldr     r12, [r1], #16
    bcc     6f
5:  trident_doubled r0, r12
9:  trident_doubled r12, r0
6:  trident_doubled r0, r12
7:  trident_doubled r12, r0
    cmp     r1, r11
    bne     5b
    ldm     sp, {r0, r1, r2, r4}
    add     r11, r11, #4
    cmp     r11, r4
    bne     4b

@ Behind the even row comes the odd one, behind that the next block.
    ldr     r12, [sp, #24]
    sub     r1, r11, #16                @ the end of what was read
    ldr     r4, [r12, #32]
    cmp     r1, r4
    bne     10f
    str     r0, [r12, #52]
    ldrd    r5, r6, [r12, #56]
    str     r2, [r12, #48]
    ldr     r7, [r12, #44]
    add     r0, r5
    add     r2, r6
    sub     r11, r1, r7
    add     r11, r1
    b       3b
10: ldr     r4, [r12, #64]
    mov     r0, r12
    subs    r4, #1
    str     r4, [r12, #64]
    bne     1b
    add     sp, #28
    pop     {r4-r11, pc}

8:  ldr     r12, [r1], #16
    ldr     r0, [r1], #16
    bcs     7b
    b       9b
    .size trident_doubled_rows, . - trident_doubled_rows
    .popsection
    .purgem trident_doubled
"#,
    options(raw)
);

/// What `trident_doubled_rows` reads, in its order; it goes on from block to block.
#[repr(C)]
struct DoubledRows {
    rows: [Row; 3],
    border: u32,
    end: *const u32,
    second: *mut u32,
    zero_point: i32,
    pitch: usize,
    columns: *mut u32,
    out: *mut i8,
    even: *const u32,
    to_odd: isize,
    to_below: usize,
    blocks: usize,
    to_next: [usize; 3],
}

unsafe extern "C" {
    fn trident_doubled_rows(rows: *mut DoubledRows);
}

/// Two rows of 3×3 windows over doubled pixels, four channels after the other; see
/// [`portable`](super::super::portable::depthwise::doubled_rows3x3).
///
/// # Panics
/// If a slice is too short, or there are other than blocks of channels or too many.
pub fn doubled_rows3x3(
    streams: [&[u32]; 2],
    rows: [Quads<'_>; 3],
    border: i8,
    columns: &mut [u32],
    zero_point: i8,
    (out, pixels): (&mut [i8], usize),
) {
    if pixels == 0 {
        return;
    }
    let channels = out.len() / pixels / 4;
    assert!(channels.is_multiple_of(CHANNELS) && channels <= usize::from(u16::MAX));
    assert!(streams.iter().all(|stream| channels * DOUBLED_WORDS <= stream.len()));
    assert!(pixels < columns.len() && pixels + 2 <= columns.len() / (2 * COLUMN2_WORDS));
    assert!(Quads::all_hold(&rows, channels, pixels));
    if channels == 0 {
        return;
    }
    let columns = columns.as_mut_ptr();
    let [even, odd] = streams.map(<[u32]>::as_ptr);
    let block = CHANNELS * DOUBLED_WORDS * size_of::<u32>();
    let mut rows = DoubledRows {
        rows: rows.map(Row::of),
        border: twice(border),
        end: columns.wrapping_add((pixels + 1) * COLUMN2_WORDS),
        second: columns.wrapping_add((pixels + 2) * COLUMN2_WORDS),
        zero_point: zero_point.into(),
        pitch: channels,
        columns,
        out: out.as_mut_ptr(),
        even,
        to_odd: (odd as isize).wrapping_sub(even as isize).wrapping_sub(block as isize),
        to_below: 2 * pixels * channels - CHANNELS,
        blocks: channels / CHANNELS,
        to_next: rows.map(|row| if row.pitch > 0 { CHANNELS } else { 0 }),
    };
    // SAFETY: per block the function writes `pixels + 2` columns to each half of `columns`, all but the first and the last of each from
    // four codes of each row, which the rows hold, of every block. It then reads four channels' weights of each stream, and the
    // columns again, to the end of each half exactly, because there is a pixel at least. It writes four codes at a pitch of all
    // channels from each other, `2 · pixels` times, to each of two rows, which `out` holds. Weights and columns are aligned as words
    // are; codes need no alignment.
    unsafe { trident_doubled_rows(&raw mut rows) }
}
