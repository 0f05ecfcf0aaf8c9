//! Three output channels of every second pixel of a picture with every pixel doubled, in assembly; what it does is written in
//! [`portable::upsample`](super::super::portable::upsample).
#![allow(unsafe_code)]

use core::arch::global_asm;

use crate::layout::upsample::{CHANNELS, PHASES, group_words, phase_words};

global_asm!(
    r#"
@ Two windows side by side share their middle pixel, and each weight that is loaded serves both. That takes six sums, three
@ weights and two words of pixels: with three addresses, all fourteen registers. All else is on the stack:
@   0 out   4 pixels left, less one   8 right pixel   12 group   16 pitch   20 channels   24 zero point
@   28 where to enter the loop   32, 36 ends of the upper and the lower row's weights   40 from one row's end to the other's start
@
@ In the loop no flag changes: they say what comes behind it.
@
@   r0-r2 weights   r3-r5 sums of the left window   r6-r8 of the right one   r9 weights to come   r10 right pixel
@   r11 minus the bytes of a pixel   r12 middle pixel   lr left pixel, then the right one

@ One word of the three pixels: 68 bytes of code.
    .macro trident_word
    ldr     r12, [r10, r11]
    ldr     lr, [r10, r11, lsl #1]
    ldm     r9!, {r0-r2}
    smlad   r3, r0, lr, r3
    smlad   r4, r1, lr, r4
    smlad   r5, r2, lr, r5
    smlad   r6, r0, r12, r6
    smlad   r7, r1, r12, r7
    smlad   r8, r2, r12, r8
    ldm     r9!, {r0-r2}
    ldr     lr, [r10], #4
    smlad   r3, r0, r12, r3
    smlad   r4, r1, r12, r4
    smlad   r5, r2, r12, r5
    smlad   r6, r0, lr, r6
    smlad   r7, r1, lr, r7
    smlad   r8, r2, lr, r8
    .endm

@ windows2x2(group, row, row, words of a pixel, out, pixels, pitch, channels, zero point); at least one pixel of at least one word.
    .pushsection .text.trident_windows2x2,"ax",%progbits
    .arch   armv7e-m
    .global trident_windows2x2
    .type trident_windows2x2,%function
    .thumb_func
    .p2align 2                          @ addresses of labels are counted from whole words
trident_windows2x2:
    push    {r4-r11, lr}
    sub     sp, #44
    ldrd    r4, r5, [sp, #80]
    ldrd    r8, r9, [sp, #88]
    ldr     r10, [sp, #96]
    mov     r7, r0
    add     r6, r1, r3, lsl #3
    rsbs    r12, r3, #0
    lsl     r11, r12, #2
    subs    r2, r2, r1
    add     r2, r2, r11
    add     r1, r3, r3, lsl #1          @ 24 bytes of weights per word and row, after three biases
    adds    r0, #12
    add     r0, r0, r1, lsl #3
    add     r1, r0, r1, lsl #3
    and     r12, r12, #7                @ words that are missing to a whole round of the loop
    movs    r3, #68
    adr.w   lr, 2f + 1
    mla     lr, r12, r3, lr
    subs    r5, #1
    stm     sp, {r4-r10}
    str     lr, [sp, #28]
    str     r0, [sp, #32]
    str     r1, [sp, #36]
    str     r2, [sp, #40]
    mov     r9, r7
    mov     r10, r6
    b       5f

@ Two windows.
1:  ldm     r9!, {r3-r5}
    mov     r6, r3
    mov     r7, r4
    mov     r8, r5
    cmn     r11, #32                    @ minus: a row takes several rounds; carry: this is the upper row, of one round
    ldr     pc, [sp, #28]
2:  .rept 8
    trident_word
    .endr
    bcs     8f
    bmi     9f
4:  ldm     r9, {r0-r2}
    ldr     lr, [sp, #24]
    smmlar  r3, r3, r0, lr
    smmlar  r4, r4, r1, lr
    smmlar  r5, r5, r2, lr
    smmlar  r6, r6, r0, lr
    smmlar  r7, r7, r1, lr
    smmlar  r8, r8, r2, lr
    ssat    r3, #8, r3
    ssat    r4, #8, r4
    ssat    r5, #8, r5
    ssat    r6, #8, r6
    ssat    r7, #8, r7
    ssat    r8, #8, r8
    ldm     sp, {r0, r1, r2, r9, r12, lr}
    add     r10, r0, r12
    cmp     lr, #2
    strb    r6, [r10]
    strb    r3, [r0]
    itt     hs
    strbhs  r7, [r10, #1]
    strbhs  r4, [r0, #1]
    itt     hi
    strbhi  r8, [r10, #2]
    strbhi  r5, [r0, #2]
    add     r0, r10, r12
    sub     r10, r2, r11, lsl #1
    subs    r1, #2
    stm     sp, {r0, r1, r10}
5:  bgt     1b
    bne     7f

@ The last window of an odd number. The pitch of zero makes its codes overwrite those of the window that is not there.
@   r6, r7 ends of weights   r8 from one row's end to the other's start   lr right pixel   else as above
    movs    r0, #0
    str     r0, [sp, #16]
    add     r10, r10, r11
    ldm     r9!, {r3-r5}
    ldrd    r6, r7, [sp, #32]
    ldr     r8, [sp, #40]
3:  ldr     r12, [r10, r11]
    ldr     lr, [r10], #4
    ldm     r9!, {r0-r2}
    smlad   r3, r0, r12, r3
    smlad   r4, r1, r12, r4
    smlad   r5, r2, r12, r5
    ldm     r9!, {r0-r2}
    smlad   r3, r0, lr, r3
    smlad   r4, r1, lr, r4
    smlad   r5, r2, lr, r5
    cmp     r9, r7
    beq     4b
    cmp     r9, r6
    it      eq
    addeq   r10, r8
    b       3b

7:  add     sp, #44
    pop     {r4-r11, pc}

8:  lsrs    r0, r11, #1                 @ neither minus nor carry: the lower row
    ldr     r0, [sp, #40]
    add     r10, r0
    ldr     pc, [sp, #28]

9:  ldrd    r0, r1, [sp, #32]
    cmp     r9, r1
    beq     4b
    cmp     r9, r0
    bne     10f
    ldr     r0, [sp, #40]
    add     r10, r0
    cmn     r11, #32
    ldr     pc, [sp, #28]
10: cmn     r11, #32
    b       2b
    .size trident_windows2x2, . - trident_windows2x2
    .popsection
    .purgem trident_word

"#,
    options(raw)
);

unsafe extern "C" {
    fn trident_windows2x2(
        group: *const u32,
        upper: *const u32,
        lower: *const u32,
        pixel_words: usize,
        out: *mut i8,
        pixels: usize,
        pitch: usize,
        channels: usize,
        zero_point: i32,
    );
}

/// A row of windows of both phases of a column; see [`portable`](super::super::portable::upsample::row).
///
/// # Panics
/// If a slice is too short, or there are no words of a pixel.
pub fn row(
    stream: &[u32],
    [upper, lower]: [&[u32]; 2],
    pixel_words: usize,
    zero_point: i8,
    (out, channels): (&mut [i8], usize),
    pixels: usize,
) {
    if pixels == 0 || channels == 0 {
        return;
    }
    // What saturates is longer than any slice.
    let row_words = pixels.saturating_add(2).saturating_mul(pixel_words);
    assert!(pixel_words > 0 && row_words <= upper.len().min(lower.len()));
    assert!(phase_words(channels, pixel_words).saturating_mul(PHASES / 2) <= stream.len());
    let group_words = group_words(pixel_words);
    let pitch = 2 * channels;
    assert!(channels <= out.len() && pixels.saturating_mul(pitch) <= out.len());
    let mut group = stream.as_ptr();
    for column in 0..2 {
        let [upper, lower] = [upper, lower].map(|row| row.as_ptr().wrapping_add(column * pixel_words));
        let mut first = 0;
        while first < channels {
            // SAFETY: the function reads one whole group, of which the stream has enough for either column, and of each row `pixels + 1`
            // pixels, from the column's first on: two windows read three pixels, and a last single one reads two. It writes up to three
            // codes, as many as are left of `channels`, at `pitch` from each other, `pixels` times, all among the `2 · channels` of
            // each pixel. `group_words` cannot have overflowed, since a row holds three pixels and the group has but twelve words
            // for each of theirs. Rows and group are aligned as words are; codes need no alignment.
            unsafe {
                trident_windows2x2(
                    group,
                    upper,
                    lower,
                    pixel_words,
                    out.as_mut_ptr().add(column * channels + first),
                    pixels,
                    pitch,
                    CHANNELS.min(channels - first),
                    zero_point.into(),
                );
            }
            group = group.wrapping_add(group_words);
            first += CHANNELS;
        }
    }
}
