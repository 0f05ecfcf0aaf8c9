//! Codes one by one: sums, the larger of two, tables, widening.
//!
//! Each function has one loop over many codes, whose loads stand side by side, since a load behind another takes one cycle and
//! not two; then a loop over fewer. The loops count down from an end, so that a slice of nothing, which may begin anywhere, is no
//! case of theirs.
#![allow(unsafe_code)]

use core::arch::global_asm;

use crate::arithmetic::{ADD_SHIFT, AddCodes};

// r0 codes, r1 out, r2 end of codes. 32 codes at a time, then sixteen, then four, then what is left.
global_asm!(
    r#"
    .pushsection .text.trident_bytes_widen,"ax",%progbits
    .syntax unified
    .arch   armv7e-m
    .global trident_bytes_widen
    .type   trident_bytes_widen, %function
    .thumb_func
    .p2align 2
trident_bytes_widen:
    push    {r4-r11, lr}
    .macro  trident_bytes_widen16
    .irp    word, r5, r7, r9, r11
    ldr     \word, [r0], #4
    .endr
    sxtb16  r4, r5
    sxtb16  r5, r5, ror #8
    sxtb16  r6, r7
    sxtb16  r7, r7, ror #8
    sxtb16  r8, r9
    sxtb16  r9, r9, ror #8
    sxtb16  r10, r11
    sxtb16  r11, r11, ror #8
    stm     r1!, {r4-r11}
    .endm
    sub     r12, r2, #32
    cmp     r0, r12
    bhi     6f
1:  trident_bytes_widen16
    trident_bytes_widen16
    cmp     r0, r12
    bls     1b
6:  add     r12, #16
    cmp     r0, r12
    bhi     2f
    trident_bytes_widen16
    .purgem trident_bytes_widen16
2:  add     r12, #12
    cmp     r0, r12
    bhi     4f
3:  ldr     r5, [r0], #4
    sxtb16  r4, r5
    sxtb16  r5, r5, ror #8
    stm     r1!, {r4, r5}
    cmp     r0, r12
    bls     3b
4:  subs    r6, r2, r0
    beq     5f
    ldrsb   r4, [r0]                // one to three codes
    movs    r5, #0
    uxth    r4, r4
    cmp     r6, #2
    it      hs
    ldrsbhs r5, [r0, #1]
    uxth    r5, r5
    itt     hi
    ldrsbhi r6, [r0, #2]
    pkhbthi r4, r4, r6, lsl #16
    stm     r1!, {r4, r5}
5:  pop     {r4-r11, pc}
    .size   trident_bytes_widen, . - trident_bytes_widen
    .popsection
    "#,
    options(raw)
);

// r0 bytes, r1 out, r2 end of bytes. Sixteen at a time, then one.
global_asm!(
    r#"
    .pushsection .text.trident_bytes_centre,"ax",%progbits
    .syntax unified
    .arch   armv7e-m
    .global trident_bytes_centre
    .type   trident_bytes_centre, %function
    .thumb_func
    .p2align 2
trident_bytes_centre:
    push    {r4-r6, lr}
    sub     r12, r2, #16
    cmp     r0, r12
    bhi     2f
1:  .irp    word, r3, r4, r5, r6
    ldr     \word, [r0], #4
    .endr
    .irp    word, r3, r4, r5, r6
    eor     \word, \word, #0x80808080
    .endr
    .irp    word, r3, r4, r5, r6
    str     \word, [r1], #4
    .endr
    cmp     r0, r12
    bls     1b
2:  cmp     r0, r2
    beq     4f
3:  ldrb    r3, [r0], #1
    eor     r3, r3, #0x80
    strb    r3, [r1], #1
    cmp     r0, r2
    bne     3b
4:  pop     {r4-r6, pc}
    .size   trident_bytes_centre, . - trident_bytes_centre
    .popsection
    "#,
    options(raw)
);

// r0, r1 codes, r2 out, r3 end of out. Sixteen at a time, then four, then one. SSUB8 notes per byte which is larger, for SEL.
global_asm!(
    r#"
    .pushsection .text.trident_bytes_larger,"ax",%progbits
    .syntax unified
    .arch   armv7e-m
    .global trident_bytes_larger
    .type   trident_bytes_larger, %function
    .thumb_func
    .p2align 2
trident_bytes_larger:
    push    {r4-r8, lr}
    sub     r12, r3, #16
    cmp     r2, r12
    bhi     2f
1:  .rept   2
    ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    ldr     r6, [r0], #4
    ldr     r7, [r1], #4
    ssub8   r8, r4, r5
    sel     r4, r4, r5
    ssub8   r8, r6, r7
    sel     r6, r6, r7
    str     r4, [r2], #4
    str     r6, [r2], #4
    .endr
    cmp     r2, r12
    bls     1b
2:  add     r12, #12
    cmp     r2, r12
    bhi     4f
3:  ldr     r4, [r0], #4
    ldr     r5, [r1], #4
    ssub8   r8, r4, r5
    sel     r4, r4, r5
    str     r4, [r2], #4
    cmp     r2, r12
    bls     3b
4:  cmp     r2, r3
    beq     6f
5:  ldrsb   r4, [r0], #1
    ldrsb   r5, [r1], #1
    cmp     r4, r5
    it      lt
    movlt   r4, r5
    strb    r4, [r2], #1
    cmp     r2, r3
    bne     5b
6:  pop     {r4-r8, pc}
    .size   trident_bytes_larger, . - trident_bytes_larger
    .popsection
    "#,
    options(raw)
);

// r0 the table's entry of code 0, which codes are offsets from; r1 codes, r2 end of codes. Eight at a time, then one.
global_asm!(
    r#"
    .pushsection .text.trident_bytes_look_up,"ax",%progbits
    .syntax unified
    .arch   armv7e-m
    .global trident_bytes_look_up
    .type   trident_bytes_look_up, %function
    .thumb_func
    .p2align 2
trident_bytes_look_up:
    push    {r4-r10, lr}
    sub     r12, r2, #8
    cmp     r1, r12
    bhi     2f
1:  ldrsb   r3, [r1]
    ldrsb   r4, [r1, #1]
    ldrsb   r5, [r1, #2]
    ldrsb   r6, [r1, #3]
    ldrsb   r7, [r1, #4]
    ldrsb   r8, [r1, #5]
    ldrsb   r9, [r1, #6]
    ldrsb   r10, [r1, #7]
    .irp    code, r3, r4, r5, r6, r7, r8, r9, r10
    ldrb    \code, [r0, \code]
    .endr
    strb    r4, [r1, #1]
    strb    r5, [r1, #2]
    strb    r6, [r1, #3]
    strb    r7, [r1, #4]
    strb    r8, [r1, #5]
    strb    r9, [r1, #6]
    strb    r10, [r1, #7]
    strb    r3, [r1], #8
    cmp     r1, r12
    bls     1b
2:  cmp     r1, r2
    beq     4f
3:  ldrsb   r3, [r1]
    ldrb    r3, [r0, r3]
    strb    r3, [r1], #1
    cmp     r1, r2
    bne     3b
4:  pop     {r4-r10, pc}
    .size   trident_bytes_look_up, . - trident_bytes_look_up
    .popsection
    "#,
    options(raw)
);

// r0 a, r1 b, r2 out, r3 end of out; then qa, qb, bias, −2^(32−s), zero point, least and largest code, each four times in a word.
// Four at a time, then one. In the loops: r3 qa, r4 qb, r5 bias, r6 −2^(32−s), r7 zero point; SMMLS shifts right by s and adds
// the zero point. At sp: least, largest, end.
global_asm!(
    r#"
    .pushsection .text.trident_bytes_add,"ax",%progbits
    .syntax unified
    .arch   armv7e-m
    .global trident_bytes_add
    .type   trident_bytes_add, %function
    .thumb_func
    .p2align 2
trident_bytes_add:
    push    {r4-r11, lr}
    mov     r10, r3
    add     r12, sp, #36
    ldm     r12, {r3-r9}
    push    {r8, r9, r10}
    sub     r11, r10, #4
    b       2f
1:  .irp    a, r8, r9, r10, r11
    ldrsb   \a, [r0], #1
    .endr
    .irp    a, r8, r9, r10, r11
    mla     \a, \a, r3, r5
    .endr
    ldrsb   r12, [r1], #1
    ldrsb   lr, [r1], #1
    mla     r8, r12, r4, r8
    mla     r9, lr, r4, r9
    ldrsb   r12, [r1], #1
    ldrsb   lr, [r1], #1
    mla     r10, r12, r4, r10
    mla     r11, lr, r4, r11
    .irp    sum, r8, r9, r10, r11
    smmls   \sum, \sum, r6, r7
    .endr
    .irp    sum, r8, r9, r10, r11
    ssat    \sum, #8, \sum
    .endr
    bfi     r8, r9, #8, #8
    bfi     r10, r11, #8, #8
    pkhbt   r8, r8, r10, lsl #16
    ldm     sp, {r9, r10, r11}
    ssub8   r12, r8, r9
    sel     r8, r8, r9
    ssub8   r12, r10, r8
    sel     r8, r8, r10
    str     r8, [r2], #4
    sub     r11, #4
2:  cmp     r2, r11
    bls     1b
    pop     {r9, r10, r11}
    b       4f
3:  ldrsb   r8, [r0], #1
    ldrsb   r12, [r1], #1
    mla     r8, r8, r3, r5
    mla     r8, r12, r4, r8
    smmls   r8, r8, r6, r7
    ssat    r8, #8, r8
    ssub8   r12, r8, r9
    sel     r8, r8, r9
    ssub8   r12, r10, r8
    sel     r8, r8, r10
    strb    r8, [r2], #1
4:  cmp     r2, r11
    bne     3b
    pop     {r4-r11, pc}
    .size   trident_bytes_add, . - trident_bytes_add
    .popsection
    "#,
    options(raw)
);

// r0 a, r1 b, r2 out, r3 end of out in whole quads; then qa, qb, and the bias with the zero point. Eight at a time, then four. In the
// loops: r3 qa, r4 qb, r5 bias, lr end.
global_asm!(
    r#"
    .pushsection .text.trident_bytes_add_usual,"ax",%progbits
    .syntax unified
    .arch   armv7e-m
    .global trident_bytes_add_usual
    .type   trident_bytes_add_usual, %function
    .thumb_func
    .p2align 2
trident_bytes_add_usual:
    push    {r4-r11, lr}
    mov     lr, r3
    add     r12, sp, #36
    ldm     r12, {r3, r4, r5}
    .macro  trident_bytes_add4
    .irp    a, r6, r7, r8, r9
    ldrsb   \a, [r0], #1
    .endr
    .irp    b, r10, r11, r12
    ldrsb   \b, [r1], #1
    .endr
    .irp    sum, r6, r7, r8, r9
    mla     \sum, \sum, r3, r5
    .endr
    mla     r6, r10, r4, r6
    ldrsb   r10, [r1], #1
    mla     r7, r11, r4, r7
    mla     r8, r12, r4, r8
    mla     r9, r10, r4, r9
    .irp    sum, r6, r7, r8, r9
    ssat    \sum, #8, \sum, asr #20
    .endr
    bfi     r6, r7, #8, #8
    bfi     r8, r9, #8, #8
    pkhbt   r6, r6, r8, lsl #16
    str     r6, [r2], #4
    .endm
    sub     r12, lr, #8
    cmp     r2, r12
    bhi     2f
1:  trident_bytes_add4
    trident_bytes_add4
    sub     r12, lr, #8
    cmp     r2, r12
    bls     1b
2:  cmp     r2, lr
    beq     3f
    trident_bytes_add4
3:  pop     {r4-r11, pc}
    .purgem trident_bytes_add4
    .size   trident_bytes_add_usual, . - trident_bytes_add_usual
    .popsection
    "#,
    options(raw)
);

// r0 a, r1 b, r2 out, r3 end of b; then qa, qb, the bias with the zero point, and a pixel's codes less four. Four codes of `b` at a time,
// which make four of each of two pixels. In the loops: r3 qa, r4 qb, r5 bias, r6..r9 what `b` gives to both, lr from behind the quad of
// the first pixel to that of the second. At sp: end of the pixel of `b`, end of `b`.
global_asm!(
    r#"
    .pushsection .text.trident_bytes_add_doubled,"ax",%progbits
    .syntax unified
    .arch   armv7e-m
    .global trident_bytes_add_doubled
    .type   trident_bytes_add_doubled, %function
    .thumb_func
    .p2align 2
trident_bytes_add_doubled:
    push    {r2-r11, lr}
    str     r3, [sp, #4]
    add     r12, sp, #44
    ldm     r12, {r3, r4, r5, lr}
1:  add     r12, r1, lr
    adds    r12, #4
    str     r12, [sp]
2:  .irp    b, r6, r7, r8, r9
    ldrsb   \b, [r1], #1
    .endr
    .irp    b, r6, r7, r8, r9
    mla     \b, \b, r4, r5
    .endr
    .irp    a, r10, r11, r12
    ldrsb   \a, [r0], #1
    .endr
    mla     r10, r10, r3, r6
    mla     r11, r11, r3, r7
    mla     r12, r12, r3, r8
    ssat    r10, #8, r10, asr #20
    ssat    r11, #8, r11, asr #20
    bfi     r10, r11, #8, #8
    ldrsb   r11, [r0], #1
    ssat    r12, #8, r12, asr #20
    mla     r11, r11, r3, r9
    bfi     r10, r12, #16, #8
    ssat    r11, #8, r11, asr #20
    bfi     r10, r11, #24, #8
    add     r12, r0, lr
    str     r10, [r2], #4
    ldrsb   r10, [r12]
    ldrsb   r11, [r12, #1]
    mla     r6, r10, r3, r6
    mla     r7, r11, r3, r7
    ldrsb   r10, [r12, #2]
    ldrsb   r11, [r12, #3]
    mla     r8, r10, r3, r8
    mla     r9, r11, r3, r9
    .irp    sum, r6, r7, r8, r9
    ssat    \sum, #8, \sum, asr #20
    .endr
    ldr     r12, [sp]
    bfi     r6, r7, #8, #8
    bfi     r8, r9, #8, #8
    pkhbt   r6, r6, r8, lsl #16
    str     r6, [r2, lr]
    cmp     r1, r12
    bne     2b
    add     r12, lr, #4
    ldr     r10, [sp, #4]
    add     r0, r12
    add     r2, r12
    cmp     r1, r10
    bne     1b
    add     sp, #8
    pop     {r4-r11, pc}
    .size   trident_bytes_add_doubled, . - trident_bytes_add_doubled
    .popsection
    "#,
    options(raw)
);

const _: () = assert!(ADD_SHIFT == 20);

unsafe extern "C" {
    fn trident_bytes_widen(codes: *const i8, out: *mut u32, codes_end: *const i8);
    fn trident_bytes_centre(bytes: *const u8, out: *mut i8, bytes_end: *const u8);
    fn trident_bytes_larger(a: *const i8, b: *const i8, out: *mut i8, out_end: *const i8);
    fn trident_bytes_look_up(entry_of_zero: *const i8, codes: *mut i8, codes_end: *const i8);
    fn trident_bytes_add(
        a: *const i8,
        b: *const i8,
        out: *mut i8,
        out_end: *const i8,
        qa: i32,
        qb: i32,
        bias: i32,
        scale: i32,
        zero_point: i32,
        lo: u32,
        hi: u32,
    );
    fn trident_bytes_add_usual(
        a: *const i8,
        b: *const i8,
        out: *mut i8,
        out_end: *const i8,
        qa: i32,
        qb: i32,
        bias: i32,
    );
    fn trident_bytes_add_doubled(
        a: *const i8,
        b: *const i8,
        out: *mut i8,
        b_end: *const i8,
        qa: i32,
        qb: i32,
        bias: i32,
        channels_less_four: usize,
    );
}

/// Widens codes, two words per four; what is missing to the last four counts as zero.
///
/// # Panics
/// If `out` is shorter.
pub fn widen(codes: &[i8], out: &mut [u32]) {
    assert!(codes.len().div_ceil(4) * 2 <= out.len());
    if codes.is_empty() {
        return;
    }
    // SAFETY: the function reads each code once, and writes two words per four codes begun, so many as there are.
    unsafe { trident_bytes_widen(codes.as_ptr(), out.as_mut_ptr(), codes.as_ptr_range().end) }
}

/// A picture's bytes less 128, as codes.
pub fn centre(bytes: &[u8], out: &mut [i8]) {
    let bytes = &bytes[..bytes.len().min(out.len())];
    if bytes.is_empty() {
        return;
    }
    // SAFETY: the function reads each byte once and writes as many codes, no more than `out` has.
    unsafe { trident_bytes_centre(bytes.as_ptr(), out.as_mut_ptr(), bytes.as_ptr_range().end) }
}

/// The larger of each two codes.
pub fn larger(a: &[i8], b: &[i8], out: &mut [i8]) {
    let count = a.len().min(b.len()).min(out.len());
    if count == 0 {
        return;
    }
    let out = out[..count].as_mut_ptr_range();
    // SAFETY: the function writes each code of `out` once and reads as many of the others, no more than they have.
    unsafe { trident_bytes_larger(a.as_ptr(), b.as_ptr(), out.start, out.end) }
}

/// As [`larger`], in place of the first.
pub fn larger_in_place(a: &mut [i8], b: &[i8]) {
    let count = a.len().min(b.len());
    if count == 0 {
        return;
    }
    let a = a[..count].as_mut_ptr_range();
    // SAFETY: as in `larger`; codes are read before the larger ones are written in place of the first.
    unsafe { trident_bytes_larger(a.start, b.as_ptr(), a.start, a.end) }
}

/// Each code's entry of a table, in place; that of −128 comes first.
pub fn look_up(table: &[i8; 256], codes: &mut [i8]) {
    if codes.is_empty() {
        return;
    }
    let codes = codes.as_mut_ptr_range();
    // SAFETY: the function reads and writes each code once. A code lies in −128..=127, so the entry that many bytes from the table's
    // entry 128 is one of its 256.
    unsafe { trident_bytes_look_up(table.as_ptr().add(128), codes.start, codes.end) }
}

/// The code of the sum of each two.
///
/// # Panics
/// If the rule shifts by none or more than 31 bits.
pub fn add(a: &[i8], b: &[i8], rule: &AddCodes, out: &mut [i8]) {
    let count = a.len().min(b.len()).min(out.len());
    let out = &mut out[..count];
    // SAFETY: `a`, `b` and `out` have at least so many codes.
    unsafe { sum(a.as_ptr(), b.as_ptr(), rule, out.as_mut_ptr(), count) }
}

/// As [`add`], in place of the first.
///
/// # Panics
/// As [`add`].
pub fn add_in_place(a: &mut [i8], b: &[i8], rule: &AddCodes) {
    let count = a.len().min(b.len());
    let a = a.as_mut_ptr();
    // SAFETY: `a` and `b` have at least so many codes.
    unsafe { sum(a, b.as_ptr(), rule, a, count) }
}

/// # Safety
/// From `a` and `b`, `count` codes can be read, and from `out` on written; `out` may be `a`, but does not overlap otherwise.
unsafe fn sum(a: *const i8, b: *const i8, rule: &AddCodes, out: *mut i8, count: usize) {
    let shift = u32::from(rule.right_shift);
    assert!((1..32).contains(&shift));
    let quads = match usual_bias(rule) {
        Some(bias) if count >= 4 => {
            let quads = count & !3;
            // SAFETY: the function goes over `out` from its start for so many codes, four at least, in whole quads, and over `a` and `b` in
            // step. It reads the codes of a step before it writes their sums, so that `out` may be `a`.
            unsafe { trident_bytes_add_usual(a, b, out, out.add(quads), rule.qa, rule.qb, bias) }
            quads
        }
        _ => 0,
    };
    if quads == count {
        return;
    }
    let four = |code: i8| u32::from(code as u8) * 0x0101_0101;
    // SAFETY: the function goes over `out` from behind the quads, if there are any, to its end, one code at least, and over `a` and `b` in
    // step. It reads the codes of a step before it writes their sums, so that `out` may be `a`.
    unsafe {
        trident_bytes_add(
            a.add(quads),
            b.add(quads),
            out.add(quads),
            out.add(count),
            rule.qa,
            rule.qb,
            rule.bias,
            -1 << (32 - shift),
            i32::from(rule.zero_point),
            four(rule.lo),
            four(rule.hi),
        );
    }
}

/// The code of the sum of each pixel of `a` with that of `b` which is doubled to two pixels.
///
/// # Shapes
/// `a[2 · pixels][channels]`, `b[pixels][channels]`, `out` as `a`.
///
/// # Panics
/// If they have others, or as [`add`].
pub fn add_doubled(a: &[i8], b: &[i8], channels: usize, rule: &AddCodes, out: &mut [i8]) {
    assert!(a.len() == out.len() && a.len() == 2 * b.len());
    // SAFETY: `a` and `out` are twice as long as `b`.
    unsafe { sum_doubled(a.as_ptr(), b, channels, rule, out.as_mut_ptr()) }
}

/// As [`add_doubled`], in place of `a`.
///
/// # Panics
/// As [`add_doubled`].
pub fn add_doubled_in_place(a: &mut [i8], b: &[i8], channels: usize, rule: &AddCodes) {
    assert!(a.len() == 2 * b.len());
    let a = a.as_mut_ptr();
    // SAFETY: `a` is twice as long as `b`.
    unsafe { sum_doubled(a, b, channels, rule, a) }
}

/// # Safety
/// From `a`, twice as many codes as `b` has can be read, and from `out` on written; `out` may be `a`, but does not overlap otherwise.
unsafe fn sum_doubled(a: *const i8, b: &[i8], channels: usize, rule: &AddCodes, out: *mut i8) {
    assert!(b.len().is_multiple_of(channels));
    match usual_bias(rule) {
        Some(bias) if channels.is_multiple_of(4) && !b.is_empty() => {
            let b = b.as_ptr_range();
            // SAFETY: the function goes over the pixels of `b` from its start to its end, which it meets since there is one at least and they are
            // whole, and over each in whole quads, which pixels are made of. Per pixel of `b` it goes over two of `a` and `out`. It reads
            // the codes of a quad before it writes their sums, so that `out` may be `a`.
            unsafe { trident_bytes_add_doubled(a, b.start, out, b.end, rule.qa, rule.qb, bias, channels - 4) }
        }
        _ => {
            for (pixel, b) in b.chunks_exact(channels).enumerate() {
                for place in [2 * pixel * channels, (2 * pixel + 1) * channels] {
                    // SAFETY: so many codes lie there, since twice as many do as `b` has.
                    unsafe { sum(a.add(place), b.as_ptr(), rule, out.add(place), channels) }
                }
            }
        }
    }
}

/// The bias that takes up the zero point, of a rule with [`ADD_SHIFT`] whose codes go as far as codes do; `None` of any other, and of one
/// whose sums would not fit 32 bits with it.
#[inline(always)]
fn usual_bias(rule: &AddCodes) -> Option<i32> {
    let all_codes = (rule.lo, rule.hi) == (i8::MIN, i8::MAX);
    let bias = rule.bias.checked_add(i32::from(rule.zero_point) << ADD_SHIFT)?;
    // Of both biases, since a sum that wraps around does so before the zero point is added.
    let largest = u64::from(bias.unsigned_abs().max(rule.bias.unsigned_abs()));
    let products = (u64::from(rule.qa.unsigned_abs()) + u64::from(rule.qb.unsigned_abs())) * 128;
    (all_codes && rule.right_shift == ADD_SHIFT && products + largest < 1 << 31).then_some(bias)
}
