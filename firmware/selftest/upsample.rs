//! 2×2 windows of doubled pixels.

use core::hint::black_box;

use trident::kernels::micro::portable::upsample as plain;
use trident::kernels::micro::upsample as fast;
use trident::layout::upsample::{CHANNELS, group_words};

use crate::buffers::{Buffers, same};
use crate::figures::Instructions;
use crate::random::Random;

const GUARD: i8 = 0x5A;

/// Compares its one function.
pub fn compare(random: &mut Random, buffers: &mut Buffers) -> u32 {
    let cases = 4000;
    for case in 0..cases {
        let (pixels, pixel_words) = (random.below(12), 1 + random.below(34));
        one(random, buffers, pixels, pixel_words);
        if case % 4 == 0 {
            let pixel_words = 2 * (1 + random.below(8));
            one(random, buffers, pixels + 1, pixel_words);
        }
    }
    cases + cases / 4
}

fn one(random: &mut Random, buffers: &mut Buffers, pixels: usize, pixel_words: usize) {
    let group = &mut buffers.stream[..group_words(pixel_words)];
    random.words(group);
    let group = &*group;
    let row_words = (pixels + 1) * pixel_words;
    let rows = buffers.words.each_mut().map(|row| {
        random.words(&mut row[..row_words]);
        &row[..row_words]
    });
    // The same row twice is what a picture of one row may give.
    let rows = if random.below(16) == 0 { [rows[1]; 2] } else { rows };
    let (channels, zero_point) = (1 + random.below(CHANNELS), random.zero_point());
    let pitch = channels + random.below(20);
    let len = if pixels == 0 {
        0
    } else {
        (pixels - 1) * pitch + channels
    };
    same(
        &mut buffers.out,
        (random.below(4), len, GUARD),
        |out| fast::windows2x2(group, rows, pixel_words, zero_point, channels, (out, pitch, pixels)),
        |out| plain::windows2x2(group, rows, pixel_words, zero_point, channels, (out, pitch, pixels)),
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
        ("windows2x2, 16 windows of 16 channels", 16, 8),
        ("windows2x2, 16 windows of 32 channels", 16, 16),
        ("windows2x2, 15 windows of 8 channels", 15, 4),
    ] {
        let (group, row) = (&stream[..group_words(pixel_words)], &row[..(pixels + 1) * pixel_words]);
        instructions.tell(name, (pixels * pixel_words * 24) as u32, || {
            fast::windows2x2(
                group,
                [row; 2],
                pixel_words,
                0,
                CHANNELS,
                (black_box(&mut out[..]), 6, pixels),
            );
        });
    }
}
