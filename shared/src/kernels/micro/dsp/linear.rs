//! Rows of weights times one row of codes.
//!
//! Four rows times four columns take 11 instructions, the load of the weights included, and half an `LDM` of codes.
#![allow(unsafe_code)]

use core::arch::global_asm;

use super::super::Places;
use super::holds;
use crate::layout::rows::{BLOCK, CHUNK, WIDE, block_words, input_words};

// Blocks of four rows. In the unrolled steps all registers are taken:
//
//   r0 stream   r1 x   r2, r8 sums of rows 0 and 2   r3, r9 sums with whole half-words   r4..r7 x   r10, r11, r12, lr weights
//
// so all else lies in a frame, what the end of a block needs in front, in the order of an LDM:
//
//   +0 x behind its first word   +4 zero point   +8 out   +12 end of out   +16 first word of x   +20 entry of a block
//   +24 entry for pairs of quads   +28 end of the chunk   +32 mode   +36 end of x   +40 entry of the last chunk
//   +44 end of the first chunk   +48, +52 rows 1 and 3 of the chunks so far
//
// A pass is eight pairs of quads, and is entered where the number of pairs asks for. No step changes the flags: the carry is clear
// if one pass ends the block, which then takes a single branch. With the carry set, the end of a pass looks whether the chunk
// has more passes, then whether there are more chunks or sums are wanted.
global_asm!(
    r#"
    .pushsection .text.trident_linear_rows,"ax",%progbits
    .syntax unified
    .arch   armv7e-m

    .macro trident_linear_quad xa, xb
    ldm     r0!, {r10, r11, r12, lr}
    smlad   r3, r10, \xb, r3
    smlad   r3, r11, \xa, r3
    sxtab16 r10, \xa, r10
    sxtab16 r11, \xb, r11
    smlad   r2, r10, r11, r2
    smlad   r9, r12, \xb, r9
    smlad   r9, lr, \xa, r9
    sxtab16 r12, \xa, r12
    sxtab16 lr, \xb, lr
    smlad   r8, r12, lr, r8
    .endm

    // r0 stream, r1 x, r2 quads of the last chunk, r3 zero point; then end of out, end of x, mode: 1 several chunks, 2 sums, 4 x
    // without a first word, of a multiple of four quads; out
    .global trident_linear_rows
    .type   trident_linear_rows, %function
    .thumb_func
    .p2align 2
trident_linear_rows:
    push    {r4-r11, lr}
    sub     sp, #56
    add     r7, sp, #92
    ldm     r7, {r5, r6, r7, lr}
    mov     r4, lr
    lsls    r8, r7, #29
    bmi     16f
    ldr     r8, [r1], #4
15: stm     sp, {r1, r3, r4, r5, r8}

    lsrs    r3, r2, #1              // pairs; skip as many of a pass as leave whole passes, or all of it
    rsb     r8, r3, #0
    and     r8, r8, #7
    it      eq
    moveq   r8, #8
    movs    r4, #90                 // bytes of a pair
    adr.w   r10, 5f + 1
    mla     r8, r8, r4, r10
    str     r8, [sp, #24]
    cmp     r3, #8
    bhi     1f
    cbnz    r7, 1f
    lsls    r2, r2, #31
    it      ne
    adrne.w r8, 4f + 1
    str     r8, [sp, #20]
    b.w     9f

1:  adr.w   r8, 2f + 1
    lsls    r2, r2, #31
    it      ne
    addne   r8, #6                  // from 2 to 3
    strd    r7, r6, [sp, #32]
    str     r8, [sp, #40]
    lsls    r7, r7, #31
    itt     ne
    subne   r8, r10, #2             // before 5, to set the carry
    addne   r6, r1, #768
    str     r8, [sp, #20]
    str     r6, [sp, #28]
    movs    r7, #0
    strd    r6, r7, [sp, #44]
    str     r7, [sp, #52]
    b.w     9f

2:  cmp     r0, r0                  // an even number of quads, carry set
    ldr.w   pc, [sp, #24]
3:  cmp     r0, r0                  // an odd one, carry set
4:  ldm     r1!, {r4, r5}           // an odd one
    trident_linear_quad r4, r5
    ldr.w   pc, [sp, #24]

    .p2align 2
    nop
    cmp     r0, r0
5:  .rept   8
    ldm     r1!, {r4-r7}
    trident_linear_quad r4, r5
    trident_linear_quad r6, r7
    .endr
    bcc     6f
    ldr     r4, [sp, #28]
    cmp     r4, r1
    bhi.w   5b
    ldr     r5, [sp, #32]
    cmp     r5, #0
    bne.w   10f

6:  ldm     sp, {r1, r12, lr}       // to the start of x; zero point; out
    sub     r3, r3, r2
    sub     r9, r9, r8
    ldm     r0!, {r4-r7, r10, r11}  // bias of rows 1 and 3, multipliers
    add     r3, r4, r3, asr #8
    add     r9, r5, r9, asr #8
7:  smmlar  r2, r2, r6, r12
    smmlar  r3, r3, r7, r12
    smmlar  r8, r8, r10, r12
    smmlar  r9, r9, r11, r12
    ssat    r2, #8, r2
    ssat    r3, #8, r3
    ssat    r8, #8, r8
    ssat    r9, #8, r9
    bfi     r2, r3, #8, #8
    bfi     r8, r9, #8, #8
    pkhbt   r2, r2, r8, lsl #16
    str     r2, [lr], #4
9:  ldrd    r4, r5, [sp, #12]
    str     lr, [sp, #8]
8:  cmp     lr, r4                  // clears the carry as long as out is below its end
    beq     14f
    ldm     r0!, {r2, r3, r8, r9}
    sub     r2, r2, r5
    sub     r8, r8, r5
    ldr.w   pc, [sp, #20]

10: sub     r10, r3, r2             // the end of a chunk, or sums; r5 mode
    sub     r11, r9, r8
    ldrd    r6, r7, [sp, #48]
    add     r3, r6, r10, asr #8
    add     r9, r7, r11, asr #8
    ldr     r12, [sp, #36]
    cmp     r1, r12
    beq     12f
    strd    r3, r9, [sp, #48]
    mov     r3, r2
    mov     r9, r8
    ldr     r6, [r1], #4
    ldm     r0!, {r10, r11}
    sub     r10, r10, r6
    sub     r11, r11, r6
    add     r2, r2, r10
    add     r8, r8, r11
    add     r4, r1, #768
    cmp     r12, r4
    bhi     11f
    str     r12, [sp, #28]
    ldr.w   pc, [sp, #40]
11: str     r4, [sp, #28]
    b.w     5b

12: ldr     r4, [sp, #44]           // the end of a block; r3, r9 rows 1 and 3 but for their bias
    str     r4, [sp, #28]
    movs    r4, #0
    strd    r4, r4, [sp, #48]
    ldm     sp, {r1, r12, lr}
    lsrs    r5, r5, #2
    ldm     r0!, {r4, r5}
    add     r3, r3, r4
    add     r9, r9, r5
    bcs     13f
    ldm     r0!, {r6, r7, r10, r11}
    b       7b
13: stm     lr!, {r2, r3, r8, r9}
    b       9b

14: add     sp, #56
    pop     {r4-r11, pc}

16: subs    r7, #4                  // what would be the first word, of all of x
    mov     r8, #0
    mov     r12, r1
17: .rept   2
    ldm     r12!, {r9, r10, r11, lr}
    smlad   r8, r9, r10, r8
    smlad   r8, r11, lr, r8
    .endr
    cmp     r12, r6
    bne     17b
    mov     lr, r4
    b       15b

    .purgem trident_linear_quad
    .size   trident_linear_rows, . - trident_linear_rows
    .popsection
    "#,
    options(raw)
);

// Eight codes at a time, then four, then what is left; once per chunk.
global_asm!(
    r#"
    .pushsection .text.trident_linear_widen,"ax",%progbits
    .syntax unified
    .arch   armv7e-m

    // r0 codes, r1 out, r2 end of codes
    .global trident_linear_widen
    .type   trident_linear_widen, %function
    .thumb_func
    .p2align 2
trident_linear_widen:
    push    {r4-r8, lr}
1:  mov     r12, r1                 // a chunk: its sum goes to r12, its end is lr
    adds    r1, #4
    movs    r3, #0
    add     lr, r0, #384
    cmp     lr, r2
    it      hi
    movhi   lr, r2
    sub     r8, lr, #16
    cmp     r0, r8
    bhi     3f
2:  .rept   2
    ldr     r4, [r0], #4
    ldr     r6, [r0], #4
    sxtb16  r5, r4, ror #8
    sxtb16  r4, r4
    sxtb16  r7, r6, ror #8
    sxtb16  r6, r6
    smlad   r3, r4, r5, r3
    smlad   r3, r6, r7, r3
    stm     r1!, {r4-r7}
    .endr
    cmp     r0, r8
    bls     2b
3:  add     r8, #12
    cmp     r0, r8
    bhi     5f
4:  ldr     r4, [r0], #4
    sxtb16  r5, r4, ror #8
    sxtb16  r4, r4
    smlad   r3, r4, r5, r3
    stm     r1!, {r4, r5}
    cmp     r0, r8
    bls     4b
5:  subs    r6, lr, r0
    beq     6f
    ldrsb   r4, [r0], #1            // one to three codes, at the end of all
    movs    r5, #0
    uxth    r4, r4
    cmp     r6, #2
    it      hs
    ldrsbhs r5, [r0], #1
    uxth    r5, r5
    itt     hi
    ldrsbhi r6, [r0], #1
    pkhbthi r4, r4, r6, lsl #16
    smlad   r3, r4, r5, r3
    stm     r1!, {r4, r5}
6:  str     r3, [r12]
    cmp     r0, r2
    bne     1b
    pop     {r4-r8, pc}

    .size   trident_linear_widen, . - trident_linear_widen
    .popsection
    "#,
    options(raw)
);

// Sixteen codes at a time.
global_asm!(
    r#"
    .pushsection .text.trident_linear_single,"ax",%progbits
    .syntax unified
    .arch   armv7e-m

    // r0 codes, r1 their end, r2 weights, r3 sum so far; gives the sum. At least sixteen codes, and a multiple.
    .macro trident_linear_single quad, other
    ldrd    r7, r12, [r2], #16
    sxtb16  \other, \quad, ror #8
    sxtb16  \quad, \quad
    smlad   r3, r7, \other, r3
    smlad   r3, r12, \quad, r3
    .endm

    .global trident_linear_single
    .type   trident_linear_single, %function
    .thumb_func
    .p2align 2
trident_linear_single:
    push    {r4-r7, lr}
1:  .rept   2
    ldr     r4, [r0], #4
    ldr     r6, [r0], #4
    trident_linear_single r4, r5
    trident_linear_single r6, r5
    .endr
    cmp     r0, r1
    bne     1b
    mov     r0, r3
    pop     {r4-r7, pc}

    .purgem trident_linear_single
    .size   trident_linear_single, . - trident_linear_single
    .popsection
    "#,
    options(raw)
);

const _: () = assert!(BLOCK == 4 && CHUNK == 384 && WIDE == 16);
const _: () =
    assert!(block_words(1000, true) == 2 * input_words(1000) + 8 && block_words(7, false) == 2 * input_words(7) + 4);

unsafe extern "C" {
    fn trident_linear_rows(
        stream: *const u32,
        x: *const u32,
        last_quads: usize,
        zero_point: i32,
        out_end: *const u8,
        x_end: *const u32,
        mode: usize,
        out: *mut u8,
    );
    fn trident_linear_widen(codes: *const i8, out: *mut u32, codes_end: *const i8);
    fn trident_linear_single(codes: *const i8, codes_end: *const i8, weights: *const u32, sum: u32) -> u32;
}

/// Set in the mode of `trident_linear_rows` if there are several chunks of columns.
const SEVERAL_CHUNKS: usize = 1;
/// Set in the mode of `trident_linear_rows` if sums are wanted, not codes; 2 to its power are the bytes of an output.
const SUMS: usize = 2;
/// Set in the mode of `trident_linear_rows` if `x` has no sum in front.
const WIDE_CODES: usize = 4;

/// Widens a row of codes into scratch memory, then [`codes`] of all blocks of rows.
///
/// # Panics
/// If the arena or the stream is shorter, scratch memory begins at no word, or there are no columns.
pub fn layer(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    of_arena(arena, places, stream, zero_point, 0);
}

/// Widens a row of codes into scratch memory, then [`sums`] of all blocks of rows.
///
/// # Panics
/// As [`layer`]; outputs too begin at a word.
pub fn layer_of_sums(arena: &mut [u8], places: &Places, stream: &[u32]) {
    of_arena(arena, places, stream, 0, SUMS);
}

#[inline(always)]
fn of_arena(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8, mode: usize) {
    let Places {
        from,
        columns,
        to,
        scratch,
        ..
    } = *places;
    let rows = places.rows.wrapping_add(BLOCK - 1) & !(BLOCK - 1);
    let shape = Shape::of(columns, mode);
    let start = arena.as_mut_ptr();
    let aligned = |place: usize| (start as usize | place).is_multiple_of(4);
    assert!(columns > 0 && aligned(scratch) && (mode != SUMS || aligned(to)));
    assert!(rows <= arena.len() && holds(arena, from, columns) && holds(arena, to, rows << mode));
    assert!(shape.x_words <= arena.len() && holds(arena, scratch, 4 * shape.x_words));
    // SAFETY: the arena holds all three parts, of `columns` codes, of at least one; of as many words as they widen to; and of `rows`
    // outputs, which are words with `SUMS`. Parts that overlap make wrong codes, no more: nothing but these functions sees them meanwhile.
    unsafe {
        let x = start.add(scratch).cast::<u32>();
        let codes = start.add(from).cast::<i8>();
        trident_linear_widen(codes, x, codes.add(columns));
        multiply(stream, x, &shape, zero_point, (start.add(to), rows), mode);
    }
}

/// As [`layer`], from codes that are wide already, a multiple of [`WIDE`] of them; needs no scratch memory.
///
/// # Panics
/// As [`layer`]; codes begin at a word, and are one chunk.
#[inline(always)]
pub fn wide_layer(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8) {
    of_wide(arena, places, stream, zero_point, 0);
}

/// As [`layer_of_sums`], from codes that are wide already.
///
/// # Panics
/// As [`wide_layer`]; outputs too begin at a word.
pub fn wide_layer_of_sums(arena: &mut [u8], places: &Places, stream: &[u32]) {
    of_wide(arena, places, stream, 0, SUMS);
}

#[inline(always)]
fn of_wide(arena: &mut [u8], places: &Places, stream: &[u32], zero_point: i8, mode: usize) {
    let Places { from, columns, to, .. } = *places;
    let rows = places.rows.wrapping_add(BLOCK - 1) & !(BLOCK - 1);
    let start = arena.as_mut_ptr();
    let aligned = |place: usize| (start as usize | place).is_multiple_of(4);
    assert!(columns > 0 && columns <= CHUNK && columns.is_multiple_of(WIDE));
    assert!(aligned(from) && (mode != SUMS || aligned(to)));
    assert!(rows <= arena.len() && holds(arena, from, 2 * columns) && holds(arena, to, rows << mode));
    let shape = Shape {
        further: 0,
        last_quads: columns / 4,
        x_words: columns / 2,
        block_words: columns + if mode == SUMS { 6 } else { 10 },
    };
    // SAFETY: the arena holds both parts, of `columns` codes, two to a word and sixteen at least; and of `rows` outputs, which are words
    // with `SUMS`. With `WIDE_CODES` the function takes all words of `x` for codes, a multiple of four quads.
    unsafe {
        let x = start.add(from).cast::<u32>();
        multiply(stream, x, &shape, zero_point, (start.add(to), rows), mode | WIDE_CODES);
    }
}

/// The sum of row 0 of a stream whose row 1 is zero, so that half-words are weights of row 0 alone; needs no scratch memory.
///
/// # Panics
/// If the arena or the stream is shorter, or the columns are no multiple of [`WIDE`] up to [`CHUNK`].
pub fn single_sum(arena: &mut [u8], places: &Places, stream: &[u32]) {
    let columns = places.columns;
    assert!((1..=CHUNK).contains(&columns) && columns.is_multiple_of(WIDE));
    let (start, weights) = stream[..4 + columns].split_at(4);
    let codes = arena[places.from..][..columns].as_ptr_range();
    let codes = codes.start.cast()..codes.end.cast();
    // SAFETY: the function reads each code, of which there are sixteen at least and a multiple, and four words of weights per four.
    let sum = unsafe { trident_linear_single(codes.start, codes.end, weights.as_ptr(), start[1]) };
    arena[places.to..][..4].copy_from_slice(&sum.to_le_bytes());
}

/// Widens codes for [`codes`] and [`sums`]: per chunk of [`CHUNK`] columns the sum of products of neighbours, then the words.
///
/// # Shapes
/// `out`: [`input_words`] of the length of `codes`.
///
/// # Panics
/// If `out` is shorter.
pub fn widen(codes: &[i8], out: &mut [u32]) {
    assert!(out.len() >= input_words(codes.len()));
    if codes.is_empty() {
        return;
    }
    // SAFETY: per chunk of up to 384 codes, of which there is at least one, the function reads each of them once and writes one
    // word and two per four codes begun: `input_words` in all, and so many there are.
    unsafe { trident_linear_widen(codes.as_ptr(), out.as_mut_ptr(), codes.as_ptr_range().end) }
}

/// Four codes per block of the stream.
///
/// # Shapes
/// `x`: from [`widen`], of `columns` codes; `stream`: one block per [`BLOCK`] codes of `out`.
///
/// # Panics
/// If one of them is shorter, or there are no columns.
pub fn codes(stream: &[u32], x: &[u32], columns: usize, zero_point: i8, out: &mut [i8]) {
    // SAFETY: `out` holds a byte for each output, and outputs are bytes.
    unsafe { rows(stream, x, columns, zero_point, out.as_mut_ptr().cast(), out.len(), 0) }
}

/// Four sums per block of a stream without multipliers.
///
/// # Shapes
/// As [`codes`].
///
/// # Panics
/// As [`codes`].
pub fn sums(stream: &[u32], x: &[u32], columns: usize, out: &mut [i32]) {
    // SAFETY: `out` holds a word for each output, and outputs are words.
    unsafe { rows(stream, x, columns, 0, out.as_mut_ptr().cast(), out.len(), SUMS) }
}

/// # Safety
/// From `out` on, `outputs` bytes may be written, or as many words with [`SUMS`] in `mode`.
#[inline(always)]
unsafe fn rows(stream: &[u32], x: &[u32], columns: usize, zero_point: i8, out: *mut u8, outputs: usize, mode: usize) {
    let shape = Shape::of(columns, mode);
    assert!(columns > 0 && shape.x_words <= x.len());
    // SAFETY: `x` is as long as asserted; the caller vouches for `out`.
    unsafe {
        let outputs = outputs & !(BLOCK - 1);
        multiply(stream, x.as_ptr(), &shape, zero_point, (out, outputs), mode);
    }
}

/// What a row of so many columns comes to.
struct Shape {
    /// Chunks behind the first.
    further: usize,
    /// Quads of the last chunk.
    last_quads: usize,
    /// Words of widened codes.
    x_words: usize,
    /// Words of a block of rows.
    block_words: usize,
}

impl Shape {
    #[inline(always)]
    fn of(columns: usize, mode: usize) -> Self {
        let quads = columns.wrapping_sub(1) / 4 + 1;
        let further = if columns <= CHUNK { 0 } else { further_chunks(columns) };
        let x_words = 1 + further + 2 * quads;
        Self {
            further,
            last_quads: quads - further * (CHUNK / 4),
            x_words,
            // What `block_words` of the layout comes to.
            block_words: 2 * x_words + if mode == SUMS { 4 } else { 8 },
        }
    }
}

/// Most rows have one chunk: compilers are not to divide before they know.
#[cold]
#[inline(never)]
fn further_chunks(columns: usize) -> usize {
    (columns - 1) / CHUNK
}

/// # Safety
/// From `x` on, `x_words` words of a shape with one column at least can be read; from `out` on, `outputs` bytes can be written, or as
/// many words with [`SUMS`] in `mode`: whole blocks.
#[inline(always)]
unsafe fn multiply(
    stream: &[u32],
    x: *const u32,
    shape: &Shape,
    zero_point: i8,
    (out, outputs): (*mut u8, usize),
    mode: usize,
) {
    let blocks = outputs / BLOCK;
    // Of 64 bits on every core: a product that one multiplication gives and that never saturates.
    assert!(blocks as u64 * shape.block_words as u64 <= stream.len() as u64);
    let several = if shape.further == 0 { 0 } else { SEVERAL_CHUNKS };
    // SAFETY: the function goes over `out` from its start to its end, four outputs at a time, and stops there at once if it is
    // empty. Per block it reads `x_words` words of `x`, to its end exactly, since all chunks but the last have 384 columns, 96 quads,
    // and the last one has what is left; and `block_words` words of the stream, with which its length was compared. It
    // writes nothing but `out` and its own frame.
    unsafe {
        trident_linear_rows(
            stream.as_ptr(),
            x,
            shape.last_quads,
            i32::from(zero_point),
            out.add(outputs << (mode & SUMS)),
            x.add(shape.x_words),
            several | mode,
            out,
        );
    }
}
