//! Windows of one pixel, of three codes or of up to [`MAX_CODES`] in whole quads: those of two pixels stay in floating-point registers
//! while all groups of output channels go by.
//!
//! A word of columns takes 11 instructions for 16 products, as in [`tile`](super::tile), but one load of four weights instead of two
//! and one of codes: 15 cycles instead of 17.
#![allow(unsafe_code)]

use core::arch::global_asm;

use crate::layout::tiles::{CHANNELS, PIXELS};

// In the unrolled steps all registers are taken:
//
//   r0 weights   r1 x   r2..r5 sums of the first pixel   r6..r9 of the second   r10, r11, r12, lr weights
//
// Frame, what the end of a group needs in front, in the order of an LDM; from +16 on it is the argument's words:
//
//   +0 out   +4 from behind it to the second pixel's   +8 end of out   +12 entry of a group   +16 zero point   +20 stream
//   +24 pairs left   +28 codes   +32 from pixel to pixel   +36 from the end of out to the next pair's   +40 from there to its end
//   +44 entry of a pair
//
// Eight quads are unrolled, in s28-s31 the first, in s0-s3 the last, and both entries skip as many as are missing. Three codes are a
// quad with nothing behind: their pair has an entry of its own, which reads no more than six bytes.
global_asm!(
    r#"
    .pushsection .text.trident_pixels,"ax",%progbits
    .syntax unified
    .arch   armv7e-m
    .fpu    fpv4-sp-d16

    // One quad of both pixels: 32 bytes.
    .macro trident_pixels_widen s0, s1, s2, s3
    ldr     r6, [r0], #4
    ldr     r7, [r1], #4
    sxtb16  r4, r6
    sxtb16  r5, r7
    sxtb16  r6, r6, ror #8
    sxtb16  r7, r7, ror #8
    vmov    \s0, \s1, r4, r5
    vmov    \s2, \s3, r6, r7
    .endm

    .macro trident_pixels_word s0, s1
    ldm     r0!, {r10, r11, r12, lr}
    vmov    r1, \s0
    smlad   r2, r1, r10, r2
    smlad   r3, r1, r11, r3
    smlad   r4, r1, r12, r4
    smlad   r5, r1, lr, r5
    vmov    r1, \s1
    smlad   r6, r1, r10, r6
    smlad   r7, r1, r11, r7
    smlad   r8, r1, r12, r8
    smlad   r9, r1, lr, r9
    .endm

    // One quad of both pixels: 88 bytes.
    .macro trident_pixels_quad s0, s1, s2, s3
    trident_pixels_word \s0, \s1
    trident_pixels_word \s2, \s3
    .endm

    // r0 argument, r1 quads to skip, with the highest bit set for pixels of three codes side by side, r2 out, r3 from it to the second
    // pixel's
    .global trident_pixels
    .type   trident_pixels, %function
    .thumb_func
    .p2align 2
trident_pixels:
    push    {r4-r11, lr}
    vpush   {s16-s31}
    sub     sp, #48
    ldm     r0, {r4-r10}
    add     r12, sp, #16
    stm     r12, {r4-r10}
    subs    r3, #4
    movs    r4, #88
    adr.w   r5, 3f + 1
    mla     lr, r1, r4, r5
    adr.w   r5, 8f + 1
    add     r5, r5, r1, lsl #5
    cmp     r1, #0
    it      mi
    adrmi.w r5, 10f + 1
    str     r5, [sp, #44]
    str     r3, [sp, #4]
    str     lr, [sp, #12]
    mov     r10, r2
    b       7f

    .p2align 2
3:  trident_pixels_quad s28, s29, s30, s31
    trident_pixels_quad s24, s25, s26, s27
    trident_pixels_quad s20, s21, s22, s23
    trident_pixels_quad s16, s17, s18, s19
    trident_pixels_quad s12, s13, s14, s15
    trident_pixels_quad s8, s9, s10, s11
    trident_pixels_quad s4, s5, s6, s7
    trident_pixels_quad s0, s1, s2, s3
    ldr     r1, [sp, #16]
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
    ldm     sp, {r10, r11, r12, lr}
    bfi     r2, r3, #8, #8
    bfi     r4, r5, #8, #8
    pkhbt   r2, r2, r4, lsl #16
    str     r2, [r10], #4           // first, since fewer than four channels leave their rest to the second pixel
    bfi     r6, r7, #8, #8
    bfi     r8, r9, #8, #8
    pkhbt   r6, r6, r8, lsl #16
    str     r6, [r10, r11]
    cmp     r10, r12
    beq     7f
    str     r10, [sp]
6:  ldm     r0, {r2-r5}
    ldm     r0!, {r6-r9}
    bx      lr

    // The next pair.
7:  add     r12, sp, #24
    ldm     r12, {r2, r3, r4, r5, r6, r7}
    subs    r2, #1
    blo     9f
    add     r10, r5
    add     r6, r10
    mov     r0, r3
    add     r1, r0, r4
    add     r3, r1, r4
    strd    r2, r3, [sp, #24]
    str     r10, [sp]
    str     r6, [sp, #8]
    bx      r7

    .p2align 2
8:  trident_pixels_widen s28, s29, s30, s31
    trident_pixels_widen s24, s25, s26, s27
    trident_pixels_widen s20, s21, s22, s23
    trident_pixels_widen s16, s17, s18, s19
    trident_pixels_widen s12, s13, s14, s15
    trident_pixels_widen s8, s9, s10, s11
    trident_pixels_widen s4, s5, s6, s7
    trident_pixels_widen s0, s1, s2, s3
    ldr     r0, [sp, #20]
    ldr     lr, [sp, #12]
    b       6b

    .p2align 2
10: ldr     r6, [r0]                // a0 a1 a2 b0
    ldrh    r7, [r0, #4]            // b1 b2
    lsrs    r1, r6, #24
    orr     r7, r1, r7, lsl #8
    sxtb16  r4, r6
    sxtb16  r5, r7
    sxtb16  r6, r6, ror #8
    uxth    r6, r6
    sxtb16  r7, r7, ror #8
    vmov    s0, s1, r4, r5
    vmov    s2, s3, r6, r7
    ldr     r0, [sp, #20]
    ldr     lr, [sp, #12]
    b       6b

9:  add     sp, #48
    vpop    {s16-s31}
    pop     {r4-r11, pc}

    .purgem trident_pixels_widen
    .purgem trident_pixels_word
    .purgem trident_pixels_quad
    .size   trident_pixels, . - trident_pixels
    .popsection
    "#,
    options(raw)
);

const _: () = assert!(CHANNELS == 4 && PIXELS == 2);

/// The most codes of a pixel.
pub(super) const MAX_CODES: usize = 32;

/// Pairs of pixels as `trident_pixels` lays them into its frame.
#[repr(C)]
pub(super) struct Pixels {
    pub zero_point: i32,
    pub stream: *const u32,
    /// How many pairs.
    pub left: usize,
    /// The first pixel's codes.
    pub codes: *const i8,
    /// From a pixel's codes to the next one's.
    pub step: usize,
    /// From the end of out to the next pair's, and from there to its end.
    pub advance: isize,
    pub extent: usize,
}

unsafe extern "C" {
    fn trident_pixels(pixels: *const Pixels, skipped_quads: usize, none: *mut u8, to_second: isize);
}

impl Pixels {
    /// Whether pixels of so many codes, whose next one's begin `step` further on, are read without a code more.
    pub(super) const fn take(codes: usize, step: usize) -> bool {
        codes.is_multiple_of(4) && codes <= MAX_CODES || codes == 3 && step == 3
    }

    /// Writes the codes of all output channels of all pairs: `extent` bytes for each pixel, whose next one's begin `channels`
    /// further on.
    ///
    /// # Safety
    /// `codes`, one at least and such as [`Pixels::take`] takes, can be read of each pixel; `out` holds the bytes of all of them, and
    /// `extent` is `channels` in whole groups and not zero; the stream has a group for each four of those.
    pub(super) unsafe fn run(&self, codes: usize, out: *mut u8, channels: usize) {
        const THREE: usize = 1 << 31;
        let missing = ((MAX_CODES - codes) / 4) | if codes == 3 { THREE } else { 0 };
        // The end of no pair, from which the first lies as far as each other from that before it.
        let none = out.wrapping_offset(-self.advance);
        // SAFETY: the function begins with no pair. Of each it reads as many quads of both pixels as are not skipped of eight, or the
        // six codes of two pixels of three, and with each group of the stream twice as many words for each of four channels. It writes
        // groups of four bytes from the pair's place on to `extent` bytes behind it, each at the same place of the second pixel too, and
        // stops when no pair is left. Registers from s16 on are kept, as those who call expect.
        unsafe { trident_pixels(self, missing, none, channels as isize) }
    }
}
