//! Rows of few weights times one row of codes.

use core::hint::black_box;

use trident::kernels::micro::{linear, narrow, portable::narrow as plain};
use trident::layout::narrow::{BLOCK, COLUMNS, row_words};
use trident::layout::rows::input_words;

use crate::buffers::{Buffers, same};
use crate::figures::Instructions;
use crate::random::Random;

/// Compares both forms.
pub fn compare(random: &mut Random, buffers: &mut Buffers) -> u32 {
    let cases = 6000;
    for case in 0..cases {
        let Buffers {
            stream, codes, wide, ..
        } = buffers;
        let columns = 1 + case as usize % COLUMNS;
        let codes = &mut codes[0][random.below(4)..][..columns];
        random.codes(codes);
        let (rows, rest) = (random.below(24) * BLOCK, random.below(BLOCK));
        let stream = &mut stream[..rows * row_words(columns) + random.below(2)];
        random.words(stream);
        let zero_point = random.zero_point();
        same(
            wide,
            (random.below(4), rows + rest, 0x5A5A),
            |out| narrow::codes(stream, codes, zero_point, out),
            |out| plain::codes(stream, codes, zero_point, out),
        );
    }
    cases
}

/// Typical shapes, and the same by the functions for rows of any length.
pub fn figures(instructions: &Instructions, buffers: &mut Buffers) {
    for (columns, rows) in [(10, 64), (5, 64), (3, 32)] {
        let Buffers {
            stream,
            words: [x, _],
            codes: [codes, _],
            out: [out, _],
            wide: [wide, _],
            ..
        } = &mut *buffers;
        let (codes, x) = black_box((&codes[..columns], &mut x[..input_words(columns)]));
        let (out, wide) = black_box((&mut out[..rows], &mut wide[..rows]));
        let macs = (columns * rows) as u32;
        semihosting::println!("narrow {columns} to {rows}");
        instructions.tell("  narrow", macs, || narrow::codes(&stream[..], codes, 3, wide));
        instructions.tell("  linear", macs, || {
            linear::widen(codes, x);
            linear::codes(&stream[..], x, columns, 3, out);
        });
    }
}
