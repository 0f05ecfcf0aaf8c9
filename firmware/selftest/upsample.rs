//! 2×2 windows of doubled pixels.

use core::hint::black_box;

use trident::kernels::micro::portable::upsample as plain;
use trident::kernels::micro::upsample as fast;
use trident::layout::upsample::{CHANNELS, phase_words};

use crate::buffers::{Buffers, same};
use crate::figures::Instructions;
use crate::random::Random;

const GUARD: i8 = 0x5A;

/// Compares its one function.
pub fn compare(random: &mut Random, buffers: &mut Buffers) -> u32 {
    let cases = 4000;
    for case in 0..cases {
        let (pixels, pixel_words) = (1 + random.below(12), 1 + random.below(34));
        one(random, buffers, pixels, pixel_words);
        if case % 4 == 0 {
            let pixel_words = 2 * (1 + random.below(8));
            one(random, buffers, pixels + 1, pixel_words);
        }
    }
    cases + cases / 4
}

fn one(random: &mut Random, buffers: &mut Buffers, pixels: usize, pixel_words: usize) {
    let (channels, zero_point) = (1 + random.below(2 * CHANNELS), random.zero_point());
    let stream = &mut buffers.stream[..2 * phase_words(channels, pixel_words) + random.below(2)];
    random.words(stream);
    let stream = &*stream;
    let row_words = (pixels + 2) * pixel_words;
    let rows = buffers.words.each_mut().map(|row| {
        random.words(&mut row[..row_words]);
        &row[..row_words]
    });
    // The same row twice is what a picture of one row may give.
    let rows = if random.below(16) == 0 { [rows[1]; 2] } else { rows };
    same(
        &mut buffers.out,
        (random.below(4), 2 * pixels * channels, GUARD),
        |out| fast::row(stream, rows, pixel_words, zero_point, (out, channels), pixels),
        |out| plain::row(stream, rows, pixel_words, zero_point, (out, channels), pixels),
    );
}

/// Counts instructions of a row.
pub fn figures(instructions: &Instructions, buffers: &mut Buffers) {
    let Buffers {
        stream,
        words: [row, _],
        out: [out, _],
        ..
    } = buffers;
    for (name, pixels, pixel_words) in [
        ("upsample row, 32 windows of 16 channels", 16, 8),
        ("upsample row, 32 windows of 32 channels", 16, 16),
        ("upsample row, 30 windows of 8 channels", 15, 4),
    ] {
        let stream = &stream[..2 * phase_words(CHANNELS, pixel_words)];
        let row = &row[..(pixels + 2) * pixel_words];
        instructions.tell(name, (pixels * pixel_words * 48) as u32, || {
            let out = black_box(&mut out[..2 * pixels * CHANNELS]);
            fast::row(stream, [row; 2], pixel_words, 0, (out, CHANNELS), pixels);
        });
    }
}
