//! Integer Winograd F(2×2, 3×3) in assembly; what each function does is written in
//! [`portable::winograd`](super::super::portable::winograd).
#![allow(unsafe_code)]

use core::arch::global_asm;

use super::super::Quads;
use crate::layout::winograd::{CHANNELS, POSITIONS, TILES};

global_asm!(
    r#"
@ input(rows, bytes of a position, out): `rows` are code and pitch of each of four.
@ First every row by itself, Bᵀ from the right, its eight words pushed; then every column, Bᵀ from the left. Sums of four codes fit
@ halves, so the order does not matter.
@ Rows:     r0 rows   r1 their end   r3-r10, lastly: positions 0 to 3 of the first half, the second half, by turns
@ Columns:  r0 pushed words   r1 bytes of four positions   r2 out   r3 out, four positions further each time
@           r4-r11 rows 0 to 3, first and second half by turns
    .pushsection .text.trident_winograd_input,"ax",%progbits
    .global trident_winograd_input
    .type trident_winograd_input,%function
    .thumb_func
trident_winograd_input:
    push    {r1-r11, lr}
    add     r1, r0, #32
1:  ldm     r0!, {r3, r4}
    ldr     r5, [r3]
    ldr     r6, [r3, r4]
    ldr     r7, [r3, r4, lsl #1]
    add     r3, r4
    ldr     r8, [r3, r4, lsl #1]
    sxtb16  r3, r5
    sxtb16  r11, r6
    sxtb16  r9, r7
    sxtb16  r12, r8
    sxtb16  r4, r5, ror #8
    sxtb16  lr, r7, ror #8
    ssub16  r3, r3, r9
    sadd16  r5, r11, r9
    ssub16  r7, r9, r11
    ssub16  r9, r11, r12
    sxtb16  r11, r6, ror #8
    sxtb16  r12, r8, ror #8
    ssub16  r4, r4, lr
    sadd16  r6, r11, lr
    ssub16  r8, lr, r11
    ssub16  r10, r11, r12
    push    {r3-r10}
    cmp     r0, r1
    bne     1b
    ldrd    r1, r2, [sp, #128]
    lsls    r1, r1, #2
    mov     r0, sp
2:  ldr     r10, [r0]                   @ the last row was pushed last
    ldr     r11, [r0, #4]
    ldr     r8, [r0, #32]
    ldr     r9, [r0, #36]
    ldr     r6, [r0, #64]
    ldr     r7, [r0, #68]
    ldr     r5, [r0, #100]
    ldr     r4, [r0, #96]
    adds    r0, #8
    ssub16  r4, r4, r8
    ssub16  r5, r5, r9
    sadd16  r12, r6, r8
    sadd16  lr, r7, r9
    ssub16  r8, r8, r6
    ssub16  r9, r9, r7
    ssub16  r10, r6, r10
    ssub16  r11, r7, r11
    adds    r3, r2, r1
    str     r4, [r2]
    str     r5, [r2, #8]
    str     r12, [r3]
    str     lr, [r3, #8]
    add     r3, r1
    add     r2, r2, r1, lsr #2
    str     r8, [r3]
    str     r9, [r3, #8]
    add     r3, r1
    add     r12, sp, #32
    str     r10, [r3]
    str     r11, [r3, #8]
    cmp     r0, r12
    bne     2b
    add     sp, #128 + 12
    pop     {r4-r11, pc}
    .size trident_winograd_input, . - trident_winograd_input
    .popsection

@ One word of two tiles times those of four channels: 44 bytes of code.
@   r0 weights   r1 tiles   r2, r3 a word of each   r4-r7 sums of the first   r8-r11 of the second   r12, lr weights
    .macro trident_products
    ldm.w   r1!, {r2, r3}
    ldm     r0!, {r12, lr}
    smlad   r4, r2, r12, r4
    smlad   r5, r2, lr, r5
    smlad   r8, r3, r12, r8
    smlad   r9, r3, lr, r9
    ldm     r0!, {r12, lr}
    smlad   r6, r2, r12, r6
    smlad   r7, r2, lr, r7
    smlad   r10, r3, r12, r10
    smlad   r11, r3, lr, r11
    .endm

@ products(weights, tiles, out, bytes of a position of two tiles); at least one word of each tile.
@ On the stack: end of the position, bytes of one, out, its end, where to enter the loop.
    .pushsection .text.trident_winograd_products,"ax",%progbits
    .p2align 2                          @ adr counts from a multiple of four
    .global trident_winograd_products
    .type trident_winograd_products,%function
    .thumb_func
trident_winograd_products:
    push    {r4-r11, lr}
    sub     sp, #20
    add     r4, r2, #512
    adds    r5, r1, r3
    mvn     r6, r3, lsr #3
    adds    r6, #2                      @ one word less: the first is outside of the loop
    and     r6, r6, #7                  @ words that are missing to a whole round of it
    movs    r7, #44
    adr.w   r8, 3f + 1
    mla     r8, r6, r7, r8
    strd    r5, r3, [sp]
    strd    r2, r4, [sp, #8]
    str     r8, [sp, #16]
1:  ldm     r1!, {r2, r3}
    ldm     r0!, {r6, r7, r12, lr}
    smuad   r4, r2, r6
    smuad   r8, r3, r6
    smuad   r5, r2, r7
    smuad   r9, r3, r7
    smuad   r6, r2, r12
    smuad   r10, r3, r12
    smuad   r7, r2, lr
    smuad   r11, r3, lr
    ldr     r2, [sp]
    cmp     r1, r2
    beq     4f
    ldr     pc, [sp, #16]
3:  .rept 8
    trident_products
    .endr
    ldr     r2, [sp]
    cmp     r1, r2
    bne     3b
4:  ldrd    r3, r12, [sp, #4]
    ldr     lr, [sp, #12]
    stm     r12!, {r4-r11}
    add     r2, r3
    str     r2, [sp]
    str     r12, [sp, #8]
    cmp     r12, lr
    bne     1b
    add     sp, #20
    pop     {r4-r11, pc}
    .size trident_winograd_products, . - trident_winograd_products
    .popsection

@ One column of a lane: its sum for the upper row into \a, for the lower one into \b.
    .macro trident_column a, b, x
    ldr     \a, [r0, #32 * \x]
    ldr     \b, [r0, #32 * \x + 128]
    ldr     r11, [r0, #32 * \x + 256]
    ldr     r12, [r0, #32 * \x + 384]
    add     \a, \a, \b
    sub     \b, \b, r11
    add     \a, \a, r11
    sub     \b, \b, r12
    .endm

@ output(sums, trailer, upper row, lower row, zero point, pitch, pixels); one to four pixels.
@   r0 sums   r1 trailer   r2 upper row   lr lower row   r3-r6 columns of the upper row   r7-r10 of the lower one
@ On the stack: zero point, pitch of this tile, end of its sums, pitch, pixels left.
    .pushsection .text.trident_winograd_output,"ax",%progbits
    .global trident_winograd_output
    .type trident_winograd_output,%function
    .thumb_func
trident_winograd_output:
    push    {r4-r11, lr}
    ldr     r4, [sp, #36]
    ldrd    r7, r8, [sp, #40]
    mov     lr, r3
    push    {r4-r8}
1:  cmp     r8, #1                      @ alone, a pixel overwrites the one that is not there
    it      eq
    moveq   r7, #0
    add     r6, r0, #16
    strd    r7, r6, [sp, #4]
2:  trident_column r3, r7, 0
    trident_column r4, r8, 1
    trident_column r5, r9, 2
    trident_column r6, r10, 3
    add     r3, r3, r4
    sub     r4, r4, r5
    add     r3, r3, r5
    sub     r4, r4, r6
    add     r7, r7, r8
    sub     r8, r8, r9
    add     r7, r7, r9
    sub     r8, r8, r10
    ldr     r11, [r1, #16]
    ldr     r5, [r1], #4
    ldrd    r6, r9, [sp]
    add     r3, r5, r3, asr #2
    add     r4, r5, r4, asr #2
    add     r7, r5, r7, asr #2
    add     r8, r5, r8, asr #2
    smmlar  r3, r3, r11, r6
    smmlar  r4, r4, r11, r6
    smmlar  r7, r7, r11, r6
    smmlar  r8, r8, r11, r6
    ssat    r3, #8, r3
    ssat    r4, #8, r4
    ssat    r7, #8, r7
    ssat    r8, #8, r8
    strb    r8, [lr, r9]                @ the lower row first: without one, the upper overwrites it
    strb    r4, [r2, r9]
    strb    r7, [lr], #1
    strb    r3, [r2], #1
    ldr     r10, [sp, #8]
    adds    r0, #4
    cmp     r0, r10
    bne     2b
    ldrd    r7, r8, [sp, #12]
    subs    r8, #2
    bls     3f
    str     r8, [sp, #16]
    subs    r1, #16
    add     r2, r2, r7, lsl #1
    add     lr, lr, r7, lsl #1
    subs    r2, #4
    sub     lr, lr, #4
    b       1b
3:  add     sp, #20
    pop     {r4-r11, pc}
    .size trident_winograd_output, . - trident_winograd_output
    .popsection
    .purgem trident_products
    .purgem trident_column
"#,
    options(raw)
);

/// A row of codes as the assembly reads it.
#[repr(C)]
struct Row {
    codes: *const i8,
    pitch: usize,
}

unsafe extern "C" {
    fn trident_winograd_input(rows: *const Row, position_bytes: usize, out: *mut u32);
    fn trident_winograd_products(weights: *const u32, x: *const u32, out: *mut i32, position_bytes: usize);
    fn trident_winograd_output(
        sums: *const i32,
        trailer: *const u32,
        upper: *mut i8,
        lower: *mut i8,
        zero_point: i32,
        pitch: usize,
        pixels: usize,
    );
}

/// `Bᵀ d B` of four channels of one tile; see [`portable`](super::super::portable::winograd::input).
///
/// # Panics
/// If a row holds fewer than four pixels, or `out` is too short.
#[inline]
pub fn input(rows: [Quads<'_>; 4], position_words: usize, out: &mut [u32]) {
    assert!(rows.iter().all(|row| row.holds(4)));
    let last = (POSITIONS - 1).saturating_mul(position_words);
    assert!(last.saturating_add(TILES) < out.len());
    let rows = rows.map(|row| Row {
        codes: row.codes.as_ptr(),
        pitch: row.pitch,
    });
    // SAFETY: the function reads four codes of each of four pixels of four rows, which the rows hold by the first assertion. It writes
    // words 0 and `TILES` after the start of each of 16 positions, of which those of the last position are inside by the second
    // assertion, and with it `4 · position_words` has not overflowed. `out` is aligned as words are; codes need no alignment.
    unsafe { trident_winograd_input(rows.as_ptr(), 4 * position_words, out.as_mut_ptr()) }
}

/// Products of four channels at all positions; see [`portable`](super::super::portable::winograd::products).
///
/// # Panics
/// If `x` has no words, not as many at each position, or not half as many as `weights`.
#[inline]
pub fn products(weights: &[u32], x: &[u32], out: &mut [i32; POSITIONS * TILES * CHANNELS]) {
    let position_words = x.len() / POSITIONS;
    assert!(position_words > 0 && x.len().is_multiple_of(POSITIONS * TILES));
    assert!(weights.len() == x.len() / TILES * CHANNELS);
    // SAFETY: at each of 16 positions the function reads `position_words` of `x`, a multiple of the two tiles and not zero, and for each
    // two of them four weights; `x` and `weights` are that long by the assertions. It writes eight sums per position, as many as
    // `out` has. All are aligned as words are.
    unsafe { trident_winograd_products(weights.as_ptr(), x.as_ptr(), out.as_mut_ptr(), 4 * position_words) }
}

/// `Aᵀ M A`, a quarter of it, bias and requantisation; see [`portable`](super::super::portable::winograd::output).
///
/// # Panics
/// If a row of `out` is too short, but not the second one empty, or `pixels` are more than four.
#[inline]
pub fn output(
    sums: &[i32; POSITIONS * TILES * CHANNELS],
    trailer: &[u32; 2 * CHANNELS],
    zero_point: i8,
    (out, pitch, pixels): ([&mut [i8]; 2], usize, usize),
) {
    if pixels == 0 {
        return;
    }
    let [upper, lower] = out;
    let holds = |codes: &[i8]| Quads { codes, pitch }.holds(pixels);
    assert!(pixels <= 4 && holds(upper) && (lower.is_empty() || holds(lower)));
    let upper = upper.as_mut_ptr();
    let lower = if lower.is_empty() { upper } else { lower.as_mut_ptr() };
    // SAFETY: the function reads all sums and the trailer, whose lengths are their types'. It writes four codes at `pitch` from each other,
    // `pixels` times, to each row, which hold them by the assertion; codes of a lower row that is not there go to the upper one, and
    // those of a pair's second pixel that is not there where the first is, each before those that belong there.
    unsafe {
        trident_winograd_output(
            sums.as_ptr(),
            trailer.as_ptr(),
            upper,
            lower,
            zero_point.into(),
            pitch,
            pixels,
        );
    }
}
