//! Columns of neighbouring rows in assembly; what each function does is written in
//! [`portable::depthwise`](super::super::portable::depthwise).
#![allow(unsafe_code)]

use core::arch::global_asm;

use super::super::portable::depthwise::COLUMN3_WORDS;
use super::super::{Border, Quads};
use crate::layout::depthwise::CHANNELS;

global_asm!(
    r#"
@ columns3(out, rows): codes and pitch of three rows; the border's word; ends of the left border, of the pixels, of the right border.
@ Bytes of two rows are put side by side first: one extension then gives two rows of one channel.
@   r0 out   r1 end of the pixels   r2, r4, r6 codes of a row   r3, r5, r7 their pitches   r8-r12, lr a column
@ Rows of one pitch, as all are that are no padding, count by one offset, in r5.
    .pushsection .text.trident_columns3,"ax",%progbits
    .arch   armv7e-m
    .global trident_columns3
    .type trident_columns3,%function
    .thumb_func
    .p2align 2
    .macro  trident_columns3_put
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
    .endm
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
    cmp     r3, r5
    it      eq
    cmpeq   r3, r7
    beq     7f
3:  ldr     r8, [r2]
    ldr     r10, [r4]
    ldr     r12, [r6]
    add     r2, r3
    add     r4, r5
    add     r6, r7
    trident_columns3_put
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
7:  movs    r5, #0
8:  ldr     r8, [r2, r5]
    ldr     r10, [r4, r5]
    ldr     r12, [r6, r5]
    add     r5, r3
    trident_columns3_put
    bne     8b
    b       4b
    .purgem trident_columns3_put
    .size trident_columns3, . - trident_columns3
    .popsection
"#,
    options(raw)
);

/// Four channels of a row of pixels as the assembly reads them.
#[repr(C)]
pub(super) struct Row {
    codes: *const i8,
    pitch: usize,
}

impl Row {
    pub(super) fn of(quads: Quads<'_>) -> Self {
        Self {
            codes: quads.codes.as_ptr(),
            pitch: quads.pitch,
        }
    }

    /// The four channels behind them; padding is the same for all.
    fn next(&mut self) {
        if self.pitch > 0 {
            self.codes = self.codes.wrapping_add(CHANNELS);
        }
    }
}

/// Columns of three rows and their border, four channels at a time.
#[repr(C)]
pub(super) struct Columns3 {
    rows: [Row; 3],
    border: u32,
    ends: [*const u32; 3],
}

impl Columns3 {
    /// Of the first four channels; so many in all can be made, one block after the other.
    ///
    /// # Panics
    /// If a row is too short, or the border is wider than `out`.
    #[inline]
    pub(super) fn new(rows: [Quads<'_>; 3], channels: usize, border: &Border, out: &mut [u32]) -> Self {
        let columns = out.len() / COLUMN3_WORDS;
        assert!(border.left <= columns && border.right <= columns - border.left);
        let pixels = columns - border.left - border.right;
        assert!(Quads::all_hold(&rows, channels, pixels));
        let out = out.as_mut_ptr();
        let ends =
            [border.left, border.left + pixels, columns].map(|end| out.wrapping_add(end * COLUMN3_WORDS).cast_const());
        Self {
            rows: rows.map(Row::of),
            border: twice(border.code),
            ends,
        }
    }

    /// Fills `out` with columns as [`portable`](super::super::portable::depthwise::columns3) does, and goes on to the next block.
    ///
    /// # Safety
    /// `out` is that of [`Columns3::new`], and there is such a block.
    #[inline(always)]
    pub(super) unsafe fn fill(&mut self, out: *mut u32) {
        // SAFETY: the function writes whole columns up to each of three ends, one after the other; none lies before the one that it
        // follows, and the last one is within `out` by the division in `new`. Between the first two ends are `pixels` columns, for each of
        // which it reads four codes of each row, which the rows hold, of every block, by the assertion there. `out` is aligned as words
        // are; codes need no alignment.
        unsafe { trident_columns3(out, self) }
        self.rows.iter_mut().for_each(Row::next);
    }
}

unsafe extern "C" {
    fn trident_columns3(out: *mut u32, columns: *const Columns3);
}

/// A code in both halves of a word.
pub(super) const fn twice(code: i8) -> u32 {
    (code as u8 as u32).wrapping_mul(0x1_0001) | if code < 0 { 0xFF00_FF00 } else { 0 }
}
