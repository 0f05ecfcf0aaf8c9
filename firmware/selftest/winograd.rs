//! Winograd tiles.

use core::hint::black_box;

use trident::kernels::micro::Quads;
use trident::kernels::micro::portable::winograd as plain;
use trident::kernels::micro::winograd as fast;
use trident::layout::winograd::{CHANNELS, POSITIONS, TILES};

use crate::buffers::{Buffers, same};
use crate::figures::Instructions;
use crate::random::Random;

const GUARD: i8 = 0x5A;
const SUMS: usize = POSITIONS * TILES * CHANNELS;

/// Compares all functions.
pub fn compare(random: &mut Random, buffers: &mut Buffers) -> u32 {
    let cases = 2000;
    for _ in 0..cases {
        input(random, buffers);
        products(random, buffers);
        output(random, buffers);
    }
    3 * cases
}

fn input(random: &mut Random, buffers: &mut Buffers) {
    const LEN: usize = 64;
    let [codes, _] = &mut buffers.codes;
    random.codes(&mut codes[..4 * LEN]);
    let rows = [0, 1, 2, 3].map(|row| Quads {
        codes: &codes[row * LEN..][random.below(4)..LEN],
        pitch: random.below(20),
    });
    let position_words = 4 * (1 + random.below(12));
    let start = random.below(position_words / 4) * 4 + random.below(TILES);
    let len = POSITIONS * position_words;
    let run = |run: fn([Quads<'_>; 4], usize, &mut [u32]), words: &mut [u32]| {
        words[..len].fill(0x5A5A_5A5A);
        run(rows, position_words, &mut words[start..len]);
    };
    let [ours, theirs] = &mut buffers.words;
    run(fast::input, ours);
    run(plain::input, theirs);
    assert!(
        ours[..len] == theirs[..len],
        "input to positions of {position_words} words"
    );
}

fn products(random: &mut Random, buffers: &mut Buffers) {
    let position_words = TILES * (1 + random.below(40));
    let weights = &mut buffers.stream[..POSITIONS * position_words / TILES * CHANNELS];
    let x = &mut buffers.words[0][..POSITIONS * position_words];
    random.words(weights);
    random.words(x);
    let [ours, theirs] = &mut buffers.sums;
    let [ours, theirs] = [ours, theirs].map(|sums| &mut sums.as_chunks_mut::<SUMS>().0[0]);
    fast::products(weights, x, ours);
    plain::products(weights, x, theirs);
    assert!(ours == theirs, "products of {position_words} words a position");
}

/// `output` of either form.
type Output = fn(&[i32; SUMS], &[u32; 2 * CHANNELS], i8, ([&mut [i8]; 2], usize, usize));

fn output(random: &mut Random, buffers: &mut Buffers) {
    let mut words = [0; SUMS];
    random.words(&mut words);
    let sums = words.map(|word| word as i32 >> (word % 16));
    let mut trailer = [0; 2 * CHANNELS];
    random.words(&mut trailer);
    let (pixels, pitch, zero_point) = (random.below(5), CHANNELS + random.below(9), random.zero_point());
    let len = if pixels == 0 {
        0
    } else {
        (pixels - 1) * pitch + CHANNELS
    };
    // One row of two may be missing.
    let rows = 1 + random.below(2);
    let run = |run: Output, out: &mut [i8]| {
        let (upper, lower) = out.split_at_mut(len);
        run(&sums, &trailer, zero_point, ([upper, lower], pitch, pixels));
    };
    same(
        &mut buffers.out,
        (random.below(4), rows * len, GUARD),
        |out| run(fast::output, out),
        |out| run(plain::output, out),
    );
}

/// Counts instructions of two tiles of 32 channels, and four output channels.
pub fn figures(instructions: &Instructions, buffers: &mut Buffers) {
    const POSITION_WORDS: usize = TILES * 16;
    let Buffers {
        stream,
        words: [x, _],
        out: [out, _],
        sums: [sums, _],
        ..
    } = buffers;
    let codes = [1; 4 * 32];
    let row = Quads {
        codes: &codes,
        pitch: 32,
    };
    instructions.tell("winograd input, one tile, 4 channels, per code", 64, || {
        fast::input([row; 4], POSITION_WORDS, black_box(&mut x[..]));
    });
    let x = &x[..POSITIONS * POSITION_WORDS];
    let sums = &mut sums.as_chunks_mut::<SUMS>().0[0];
    let weights = &stream[..x.len() / TILES * CHANNELS];
    instructions.tell("winograd products, two tiles, 32 to 4 channels", 8 * 512, || {
        fast::products(weights, x, black_box(sums));
    });
    let (upper, lower) = out.split_at_mut(500);
    instructions.tell("winograd output, two tiles, 4 channels, per code", 32, || {
        fast::output(sums, &[1; 8], 0, ([black_box(upper), black_box(lower)], 64, 4));
    });
}
