//! Rows of few weights times one row of codes.
//!
//! The codes are widened once and stay in registers, and what is written is wide for the layer behind. A row then takes seven
//! instructions with up to six columns, nine and a half with up to ten, all included but a few for each call and each sixteen rows.
#![allow(unsafe_code)]

use core::arch::global_asm;

use super::super::Places;
use super::holds;
use crate::layout::narrow::{BLOCK, COLUMNS, FEW_COLUMNS, LEAST_COLUMNS, row_words};

// The stream is a row of words, and loads need not end where rows do: each fills all registers that are free, around the sum
// that is under way. Sixteen rows are one pass, and the first is entered where as many are left as make the others whole. `out` is
// the pass's last row, whose store moves it on: wherever a pass begins, all others lie as far before it.
global_asm!(
    r#"
    .syntax unified
    .arch   armv7e-m

    // From out in r3 to r1, its last row in the first pass; one pass behind the last one's at [sp], and the zero point to lr.
    // To 1, or as many blocks of four rows behind it, each of \bytes bytes, as the first pass lacks.
    .macro trident_narrow_enter bytes
    ldrd    r2, lr, [sp, #36]
    add     r1, r3, #30
    subs    r2, r1, r2              // less twice the rows
    lsls    r3, r2, #27
    beq     1f
    ubfx    r2, r2, #3, #2
    sub     r1, r1, r2, lsl #3
    adr.w   r3, 1f + 1
    movs    r4, #\bytes
    mla     r2, r2, r4, r3
    bx      r2
    .p2align 2
    .endm

    // The last of a pass's rows is written.
    .macro trident_narrow_leave
    ldr     r2, [sp, #36]
    cmp     r1, r2
    bne     1b
    pop     {r4-r11, pc}
    .endm

    // The code of a sum, of row 0 to 15 of a pass; rows 1 and 2 of each four change places.
    .macro trident_narrow_store sum, multiplier, row
    smmlar  \sum, \sum, \multiplier, lr
    ssat    \sum, #8, \sum
    .if \row == 15
    strh    \sum, [r1], #32
    .else
    strh    \sum, [r1, #2 * (\row / 4 * 4 + (\row & 1) * 2 + (\row & 2) / 2) - 30]
    .endif
    .endm

    // Four rows of three words from row \row of a pass on; x in r10-r12.
    .macro trident_narrow_few row
    ldm     r0!, {r2-r9}            // row 0, and the first three words of row 1
    smlad   r2, r3, r10, r2
    smlad   r2, r4, r11, r2
    smlad   r2, r5, r12, r2
    trident_narrow_store r2, r6, \row
    smlad   r7, r8, r10, r7
    smlad   r7, r9, r11, r7
    ldm     r0!, {r2-r6, r8, r9}    // the rest of it, and row 2
    smlad   r7, r2, r12, r7
    trident_narrow_store r7, r3, (\row + 1)
    smlad   r4, r5, r10, r4
    smlad   r4, r6, r11, r4
    smlad   r4, r8, r12, r4
    trident_narrow_store r4, r9, (\row + 2)
    ldm     r0!, {r2-r6}
    smlad   r2, r3, r10, r2
    smlad   r2, r4, r11, r2
    smlad   r2, r5, r12, r2
    trident_narrow_store r2, r6, (\row + 3)
    .endm

    // Four rows of five words from row \row of a pass on; x in r8-r12.
    .macro trident_narrow_many row
    ldm     r0!, {r2-r7}            // row 0 but for its multiplier
    smlad   r2, r3, r8, r2
    smlad   r2, r4, r9, r2
    smlad   r2, r5, r10, r2
    smlad   r2, r6, r11, r2
    smlad   r2, r7, r12, r2
    ldm     r0!, {r3-r7}            // that, and four words of row 1
    trident_narrow_store r2, r3, \row
    smlad   r4, r5, r8, r4
    smlad   r4, r6, r9, r4
    smlad   r4, r7, r10, r4
    ldm     r0!, {r2, r3, r5-r7}    // three of row 1, two of row 2
    smlad   r4, r2, r11, r4
    smlad   r4, r3, r12, r4
    trident_narrow_store r4, r5, (\row + 1)
    smlad   r6, r7, r8, r6
    ldm     r0!, {r2-r5, r7}        // the rest of row 2
    smlad   r6, r2, r9, r6
    smlad   r6, r3, r10, r6
    smlad   r6, r4, r11, r6
    smlad   r6, r5, r12, r6
    trident_narrow_store r6, r7, (\row + 2)
    ldm     r0!, {r2-r6}
    smlad   r2, r3, r8, r2
    smlad   r2, r4, r9, r2
    smlad   r2, r5, r10, r2
    smlad   r2, r6, r11, r2
    ldm     r0!, {r3, r4}
    smlad   r2, r3, r12, r2
    trident_narrow_store r2, r4, (\row + 3)
    .endm

    // r0 stream, r1 codes, r2 their end, r3 out; then the last row of a pass behind out, zero point. Four to six codes; at least
    // four rows.
    .pushsection .text.trident_narrow_few,"ax",%progbits
    .global trident_narrow_few
    .type   trident_narrow_few, %function
    .thumb_func
    .p2align 2
trident_narrow_few:
    push    {r4-r11, lr}
    ldr     r4, [r1]
    ldrsb   r12, [r2, #-2]
    ldrsb   r5, [r2, #-1]
    sxtb16  r10, r4
    sxtb16  r11, r4, ror #8
    pkhbt   r12, r12, r5, lsl #16
    trident_narrow_enter 106
1:  trident_narrow_few 0
2:  trident_narrow_few 4
    trident_narrow_few 8
    trident_narrow_few 12
    trident_narrow_leave
    .size   trident_narrow_few, . - trident_narrow_few
    .popsection

    // The same for seven to ten codes; six would do.
    .pushsection .text.trident_narrow_many,"ax",%progbits
    .global trident_narrow_many
    .type   trident_narrow_many, %function
    .thumb_func
    .p2align 2
trident_narrow_many:
    push    {r4-r11, lr}
    ldr     r4, [r1]
    ldrsb   r10, [r1, #4]
    ldrsb   r5, [r1, #5]
    ldr     r6, [r2, #-4]
    sxtb16  r8, r4
    sxtb16  r9, r4, ror #8
    pkhbt   r10, r10, r5, lsl #16
    sxtb16  r11, r6
    sxtb16  r12, r6, ror #8
    trident_narrow_enter 140
1:  trident_narrow_many 0
2:  trident_narrow_many 4
    trident_narrow_many 8
    trident_narrow_many 12
    trident_narrow_leave
    .size   trident_narrow_many, . - trident_narrow_many
    .popsection

    .purgem trident_narrow_enter
    .purgem trident_narrow_leave
    .purgem trident_narrow_store
    .purgem trident_narrow_few
    .purgem trident_narrow_many
    "#,
    options(raw)
);

const _: () = assert!(BLOCK == 4 && LEAST_COLUMNS == 4 && row_words(FEW_COLUMNS) == 5 && row_words(COLUMNS) == 7);

/// Rows of a pass.
const PASS: usize = 16;

unsafe extern "C" {
    fn trident_narrow_few(
        stream: *const u32,
        codes: *const i8,
        codes_end: *const i8,
        out: *mut i16,
        pass_behind: *const i16,
        zero_point: i32,
    );
    fn trident_narrow_many(
        stream: *const u32,
        codes: *const i8,
        codes_end: *const i8,
        out: *mut i16,
        pass_behind: *const i16,
        zero_point: i32,
    );
}

/// [`codes`] of all blocks of rows.
///
/// # Panics
/// If the arena is shorter, outputs begin at no word, or there are none; as [`codes`].
pub fn layer(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    let Places { from, columns, to, .. } = *places;
    let rows = places.rows.wrapping_add(BLOCK - 1) & !(BLOCK - 1);
    // Some rows, and no more than the arena has bytes.
    assert!(rows.wrapping_sub(1) < arena.len() && holds(arena, from, columns) && holds(arena, to, 2 * rows));
    let start = arena.as_mut_ptr();
    assert!((start as usize | to).is_multiple_of(4));
    assert_stream(stream, columns, rows);
    // SAFETY: the arena holds both parts, of bytes and of half-words that begin at a word; the stream was looked at.
    unsafe {
        let (from, to) = (start.add(from).cast::<i8>(), start.add(to).cast::<i16>());
        if columns < LEAST_COLUMNS {
            fill_up(stream, (from, columns), zero_point, (to, rows));
        } else {
            write(stream, (from, columns), zero_point, (to, rows));
        }
    }
}

/// One wide code per row of the stream, in whole blocks of [`BLOCK`] rows: `c0 c2 c1 c3`.
///
/// # Shapes
/// `codes[n]` with `n` in `1..=`[`COLUMNS`]; `stream`: a row per code of `out`.
///
/// # Panics
/// If there are no codes or too many, or the stream is shorter.
pub fn codes(stream: &[u32], codes: &[i8], zero_point: i8, out: &mut [i16]) {
    let rows = out.len() & !(BLOCK - 1);
    assert_stream(stream, codes.len(), rows);
    if rows == 0 {
        return;
    }
    let (codes, out) = ((codes.as_ptr(), codes.len()), (out.as_mut_ptr(), rows));
    // SAFETY: both slices hold so much; the stream was looked at.
    unsafe {
        if codes.1 < LEAST_COLUMNS {
            fill_up(stream, codes, zero_point, out);
        } else {
            write(stream, codes, zero_point, out);
        }
    }
}

#[inline(always)]
fn assert_stream(stream: &[u32], columns: usize, rows: usize) {
    assert!((1..=COLUMNS).contains(&columns));
    // A slice has fewer than 2^29 words, so that the product is one of 32 bits.
    assert!(rows <= stream.len() && rows * row_words(columns) <= stream.len());
}

/// As [`write`], of fewer codes than it reads.
///
/// # Safety
/// As of [`write`].
#[inline(never)]
unsafe fn fill_up(stream: &[u32], (codes, columns): (*const i8, usize), zero_point: i8, out: (*mut i16, usize)) {
    let mut filled = [0; LEAST_COLUMNS];
    for (at, filled) in filled[..columns].iter_mut().enumerate() {
        // SAFETY: so many codes can be read.
        *filled = unsafe { *codes.add(at) };
    }
    // SAFETY: four codes take rows of as many words as fewer do.
    unsafe { write(stream, (filled.as_ptr(), LEAST_COLUMNS), zero_point, out) }
}

/// # Safety
/// So many codes can be read, [`LEAST_COLUMNS`] at least, and so many rows written, a multiple of [`BLOCK`] and not none;
/// [`assert_stream`] has seen them.
#[inline(always)]
unsafe fn write(stream: &[u32], (codes, columns): (*const i8, usize), zero_point: i8, (to, rows): (*mut i16, usize)) {
    let (from, codes_end) = (stream.as_ptr(), codes.wrapping_add(columns));
    let pass_behind = to.wrapping_add(rows + PASS - 1).cast_const();
    // SAFETY: there are four to six codes, or seven to ten, and the functions read the first four, the sixth at most, and the last two
    // or four. They go over `rows` half-words from `to` on, a multiple of four and not zero, sixteen at a time, the first time
    // as many as are beyond a multiple of that, until the next pass would be the one of which they are told that it lies behind. Per
    // row they read five or seven words of the stream, `row_words` each, and so many there are.
    unsafe {
        if columns <= FEW_COLUMNS {
            trident_narrow_few(from, codes, codes_end, to, pass_behind, zero_point.into());
        } else {
            trident_narrow_many(from, codes, codes_end, to, pass_behind, zero_point.into());
        }
    }
}
