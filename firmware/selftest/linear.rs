//! Rows of weights times one row of codes.

use core::hint::black_box;

use trident::kernels::micro::{linear, portable::linear as plain};
use trident::layout::rows::{BLOCK, CHUNK, block_words, input_words};

use crate::buffers::{Buffers, same};
use crate::figures::Instructions;
use crate::random::Random;

/// Compares all functions.
pub fn compare(random: &mut Random, buffers: &mut Buffers) -> u32 {
    let cases = 4000;
    for case in 0..cases {
        let columns = match case % 40 {
            0 => 1 + random.below(2304),
            1 => CHUNK * (1 + random.below(6)) - random.below(9),
            2 => CHUNK * (1 + random.below(5)) + 1 + random.below(70),
            _ => 1 + random.below(140),
        };
        let blocks = random.below(if columns > 140 { 4 } else { 12 });
        one(random, buffers, columns, blocks);
    }
    cases
}

fn one(random: &mut Random, buffers: &mut Buffers, columns: usize, blocks: usize) {
    let Buffers {
        stream,
        words,
        codes,
        out,
        sums,
        ..
    } = buffers;
    let offset = random.below(4);
    let codes = &mut codes[0][offset..][..columns];
    random.codes(codes);
    same(
        words,
        (0, input_words(columns), 0x5A5A_5A5A),
        |out| linear::widen(codes, out),
        |out| plain::widen(codes, out),
    );

    let x = &mut words[0][..input_words(columns)];
    match random.below(4) {
        // Words that no codes widen to.
        0 => random.words(x),
        _ => plain::widen(codes, x),
    }
    let (zero_point, rest) = (random.zero_point(), random.below(BLOCK));
    let stream = &mut stream[..blocks * block_words(columns, true) + random.below(2)];
    random.words(stream);
    same(
        out,
        (random.below(4), blocks * BLOCK + rest, 0x5A),
        |out| linear::codes(stream, x, columns, zero_point, out),
        |out| plain::codes(stream, x, columns, zero_point, out),
    );
    same(
        sums,
        (random.below(4), blocks * BLOCK + rest, 0x5A5A_5A5A),
        |out| linear::sums(stream, x, columns, out),
        |out| plain::sums(stream, x, columns, out),
    );
}

/// Typical shapes.
pub fn figures(instructions: &Instructions, buffers: &mut Buffers) {
    for (columns, rows) in [(10, 64), (5, 64), (64, 32), (32, 1), (256, 64), (2304, 24)] {
        let Buffers {
            stream,
            words: [x, _],
            codes: [codes, _],
            out: [out, _],
            sums: [sums, _],
            ..
        } = &mut *buffers;
        let (codes, x) = black_box((&codes[..columns], &mut x[..input_words(columns)]));
        let rows = black_box(usize::next_multiple_of(rows, BLOCK));
        let macs = (columns * rows) as u32;
        semihosting::println!("linear {columns} to {rows}");
        instructions.tell("  widen", columns as u32, || linear::widen(codes, x));
        instructions.tell("  codes", macs, || {
            linear::codes(&stream[..], x, columns, 3, &mut out[..rows])
        });
        instructions.tell("  sums ", macs, || {
            linear::sums(&stream[..], x, columns, &mut sums[..rows])
        });
    }
}
