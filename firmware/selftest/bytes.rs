//! Codes one by one.

use core::hint::black_box;

use trident::arithmetic::{ADD_SHIFT, AddCodes};
use trident::kernels::micro::{bytes, portable::bytes as plain, tile};

use crate::buffers::{Buffers, same};
use crate::figures::Instructions;
use crate::random::Random;

/// Compares all functions.
pub fn compare(random: &mut Random, buffers: &mut Buffers) -> u32 {
    nothing();
    let cases = 6000;
    for _ in 0..cases {
        let count = random.below(100);
        one(random, buffers, count);
        doubled(random, buffers);
    }
    cases
}

/// Slices of nothing begin at no address in particular, least of all one that loops may count from.
fn nothing() {
    let rule = AddCodes {
        qa: 1,
        qb: 1,
        bias: 0,
        right_shift: 1,
        zero_point: 0,
        lo: -128,
        hi: 127,
    };
    bytes::widen(black_box(&[]), &mut []);
    bytes::centre(black_box(&[]), &mut []);
    bytes::larger(black_box(&[]), &[], &mut []);
    bytes::larger_in_place(&mut [], black_box(&[]));
    bytes::look_up(&[0; 256], black_box(&mut []));
    bytes::add(black_box(&[]), &[], &rule, &mut []);
    bytes::add_in_place(black_box(&mut []), &[], &rule);
    bytes::add_doubled(black_box(&[]), &[], 4, &rule, &mut []);
    bytes::add_doubled_in_place(black_box(&mut []), &[], 4, &rule);
    tile::widen(black_box([&[], &[]]), &mut []);
}

fn one(random: &mut Random, buffers: &mut Buffers, count: usize) {
    let Buffers {
        words,
        codes: [a, b],
        out,
        ..
    } = buffers;
    let [a, b] = [a, b].map(|codes| {
        // Sometimes longer than what is asked for.
        let codes = &mut codes[random.below(4)..][..count + random.below(2)];
        random.codes(codes);
        &*codes
    });
    let words_len = a.len().div_ceil(4) * 2;
    same(
        words,
        (0, words_len, 0x5A5A_5A5A),
        |out| bytes::widen(a, out),
        |out| plain::widen(a, out),
    );

    let place = (random.below(4), count, 0x5A);
    let picture: &[u8] = bytemuck::cast_slice(a);
    same(
        out,
        place,
        |out| bytes::centre(picture, out),
        |out| plain::centre(picture, out),
    );
    same(
        out,
        place,
        |out| bytes::larger(a, b, out),
        |out| plain::larger(a, b, out),
    );

    let mut table = [0; 256];
    random.codes(&mut table);
    let start = |out: &mut [i8]| out.copy_from_slice(&a[..count]);
    same(
        out,
        place,
        |out| {
            start(out);
            bytes::look_up(&table, out);
        },
        |out| {
            start(out);
            plain::look_up(&table, out);
        },
    );

    let rule = rule(random);
    same(
        out,
        place,
        |out| bytes::add(a, b, &rule, out),
        |out| plain::add(a, b, &rule, out),
    );
    same(
        out,
        place,
        |out| {
            start(out);
            bytes::add_in_place(out, b, &rule);
        },
        |out| {
            start(out);
            plain::add_in_place(out, b, &rule);
        },
    );
}

/// Sums with pixels that are doubled, of whole quads or not.
fn doubled(random: &mut Random, buffers: &mut Buffers) {
    let Buffers { codes: [a, b], out, .. } = buffers;
    let most = [5, 5, 5, 20][random.below(4)];
    let channels = 1 + random.below(most);
    let channels = if random.below(4) > 0 { 4 * channels } else { channels };
    let pixels = random.below(6);
    let (half, whole) = (channels * pixels, 2 * channels * pixels);
    let [a, b] = [(a, whole), (b, half)].map(|(codes, count)| {
        let codes = &mut codes[random.below(4)..][..count];
        random.codes(codes);
        &*codes
    });
    let rule = rule(random);
    let place = (random.below(4), whole, 0x5A);
    same(
        out,
        place,
        |out| bytes::add_doubled(a, b, channels, &rule, out),
        |out| plain::add_doubled(a, b, channels, &rule, out),
    );
    same(
        out,
        place,
        |out| {
            out.copy_from_slice(a);
            bytes::add_doubled_in_place(out, b, channels, &rule);
        },
        |out| {
            out.copy_from_slice(a);
            plain::add_doubled_in_place(out, b, channels, &rule);
        },
    );
}

/// Any rule, one whose sums lie near the codes, or one of the quantiser's, a little more than those now and then.
fn rule(random: &mut Random) -> AddCodes {
    let [c, d] = [random.word() as i8, random.word() as i8];
    let usual = random.below(2) == 0;
    let right_shift = if usual && random.below(8) > 0 {
        ADD_SHIFT
    } else {
        1 + random.below(30) as u8
    };
    let narrow = match usual {
        true if random.below(8) > 0 => 21,
        true => 25,
        false => random.below(2) * usize::from(right_shift).min(22),
    };
    let mut number = || {
        if narrow > 0 {
            random.word() as i32 >> (31 - narrow)
        } else {
            random.word() as i32
        }
    };
    let mut rule = AddCodes {
        qa: number(),
        qb: number(),
        bias: number(),
        right_shift,
        zero_point: number() as i8,
        lo: c.min(d),
        hi: c.max(d),
    };
    if usual && random.below(4) > 0 {
        (rule.lo, rule.hi) = (i8::MIN, i8::MAX);
    }
    if random.below(8) == 0 {
        rule.bias = random.word() as i32;
    }
    rule
}

/// Typical shapes.
pub fn figures(instructions: &Instructions, buffers: &mut Buffers) {
    for count in [32, 96, 3072] {
        let Buffers {
            words: [words, _],
            codes: [a, b],
            out: [out, _],
            ..
        } = &mut *buffers;
        let count = black_box(count);
        let (a, b, out) = (&a[..count], &b[..count], &mut out[..count]);
        let rule = black_box(AddCodes {
            qa: 1 << 19,
            qb: 1 << 18,
            bias: 1 << 19,
            right_shift: ADD_SHIFT,
            zero_point: 3,
            lo: -128,
            hi: 127,
        });
        let other = black_box(AddCodes { lo: -127, ..rule });
        semihosting::println!("bytes {count}");
        instructions.tell("  widen  ", count as u32, || bytes::widen(a, words));
        instructions.tell("  centre ", count as u32, || {
            bytes::centre(bytemuck::cast_slice(a), out)
        });
        instructions.tell("  larger ", count as u32, || bytes::larger(a, b, out));
        instructions.tell("  look up", count as u32, || bytes::look_up(&[1; 256], out));
        instructions.tell("  add    ", count as u32, || bytes::add(a, b, &rule, out));
        instructions.tell("  add, in range", count as u32, || bytes::add(a, b, &other, out));
        instructions.tell("  add, doubled ", count as u32, || {
            bytes::add_doubled(a, &b[..count / 2], 8, &rule, out)
        });
    }
}
