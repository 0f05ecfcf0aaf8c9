//! Windows of one channel each.

use core::hint::black_box;

use trident::kernels::micro::depthwise as fast;
use trident::kernels::micro::portable::depthwise as plain;
use trident::kernels::micro::{Border, Quads};
use trident::layout::depthwise::{CHANNELS, DOUBLED_WORDS, WINDOW_WORDS};

use crate::buffers::Buffers;
use crate::figures::Instructions;
use crate::random::Random;

const CASES: u32 = 3000;
const PIXELS: usize = 34;
const CHANNELS_WIDE: usize = 24;
/// Codes of a row under windows that are two apart, with room to begin anywhere.
const CODES: usize = (2 * PIXELS + 1) * CHANNELS_WIDE + 8;
/// Words of columns: windows that are two apart, with a border.
const COLUMNS: usize = (2 * PIXELS + 7) * fast::COLUMN3_WORDS;
const OUT: usize = 4 * PIXELS * CHANNELS_WIDE + 8;

/// Compares all functions.
pub fn compare(random: &mut Random, _: &mut Buffers) -> u32 {
    for _ in 0..CASES {
        windows(random);
        doubled(random);
    }
    2 * CASES
}

/// Three rows of so many pixels; some are padding.
fn rows<'c>(random: &mut Random, codes: &'c [[i8; CODES]; 3], channels: usize, pixels: usize) -> [Quads<'c>; 3] {
    codes.each_ref().map(|codes| {
        let pitch = channels + random.below(CHANNELS_WIDE - channels + 1);
        let start = random.below(5);
        if random.below(5) == 0 {
            let codes = &codes[start..][..CHANNELS];
            return Quads { codes, pitch: 0 };
        }
        let len = pixels.saturating_sub(1) * pitch + channels;
        let codes = &codes[start..][..len];
        Quads { codes, pitch }
    })
}

fn windows(random: &mut Random) {
    let mut weights = [0; CHANNELS_WIDE * WINDOW_WORDS];
    let mut codes = [[0; CODES]; 3];
    random.words(&mut weights);
    codes.iter_mut().for_each(|codes| random.codes(codes));
    let channels = CHANNELS * (1 + random.below(CHANNELS_WIDE / CHANNELS));
    let (pixels, stride) = (1 + random.below(PIXELS), 1 + random.below(2));
    let columns = (pixels - 1) * stride + 3;
    let border = Border {
        code: random.zero_point(),
        left: random.below(3),
        right: random.below(columns.min(4) - 1).min(columns.saturating_sub(2)),
    };
    let rows = rows(random, &codes, channels, columns - border.left - border.right);
    let used = columns * fast::COLUMN3_WORDS + random.below(fast::COLUMN3_WORDS);
    let (start, zero_point) = (random.below(5), random.zero_point());
    let mut expected = [0; OUT];
    random.codes(&mut expected);
    let (mut out, mut words) = (expected, [0; COLUMNS]);
    let place = start..start + pixels * channels;
    plain::row3x3(
        &weights,
        rows,
        &border,
        &mut words[..used],
        (stride, zero_point),
        (&mut expected[place.clone()], pixels),
    );
    fast::row3x3(
        &weights,
        rows,
        &border,
        &mut words[..used],
        (stride, zero_point),
        (&mut out[place], pixels),
    );
    assert!(
        out == expected,
        "row3x3 of {pixels} pixels of {channels} by {stride}, {border:?}"
    );
}

fn doubled(random: &mut Random) {
    let mut weights = [[0; CHANNELS_WIDE * DOUBLED_WORDS]; 2];
    let mut codes = [[0; CODES]; 3];
    weights.iter_mut().for_each(|weights| random.words(weights));
    codes.iter_mut().for_each(|codes| random.codes(codes));
    let channels = CHANNELS * (1 + random.below(CHANNELS_WIDE / CHANNELS));
    let pixels = 1 + random.below(PIXELS);
    let rows = rows(random, &codes, channels, pixels);
    let used = 2 * (pixels + 2) * fast::COLUMN2_WORDS;
    let (border, zero_point) = (random.zero_point(), random.zero_point());
    let start = random.below(5);
    let mut expected = [0; OUT];
    random.codes(&mut expected);
    let (mut out, mut words) = (expected, [0; COLUMNS]);
    let streams = weights.each_ref().map(|weights| &weights[..]);
    let place = start..start + 4 * pixels * channels;
    let expected_place = &mut expected[place.clone()];
    plain::doubled_rows3x3(
        streams,
        rows,
        border,
        &mut words[..used],
        zero_point,
        (expected_place, pixels),
    );
    fast::doubled_rows3x3(
        streams,
        rows,
        border,
        &mut words[..used],
        zero_point,
        (&mut out[place], pixels),
    );
    assert!(out == expected, "doubled_rows3x3 of {pixels} pixels of {channels}");
}

/// Counts instructions of rows of some channels.
pub fn figures(instructions: &Instructions, _: &mut Buffers) {
    const CHANNELS: usize = 16;
    let (mut columns, mut out) = ([0; 18 * fast::COLUMN3_WORDS], [0; 4 * 8 * CHANNELS]);
    let codes = [1; 16 * CHANNELS];
    let row = Quads {
        codes: &codes,
        pitch: CHANNELS,
    };
    let border = Border {
        code: 0,
        left: 1,
        right: 1,
    };
    let weights = black_box([1; CHANNELS * WINDOW_WORDS]);
    for (name, stride, pixels) in [
        ("row3x3, 16 outputs x 16", 1, 16),
        ("row3x3, 8 outputs x 16", 1, 8),
        ("row3x3 by 2, 8 outputs x 16", 2, 8),
    ] {
        let words = ((pixels - 1) * stride + 3) * fast::COLUMN3_WORDS;
        let macs = (9 * CHANNELS * pixels) as u32;
        instructions.tell(name, macs, || {
            fast::row3x3(
                &weights,
                [row; 3],
                &border,
                &mut columns[..words],
                (stride, 0),
                (black_box(&mut out[..pixels * CHANNELS]), pixels),
            );
        });
    }
    let weights = black_box([1; CHANNELS * DOUBLED_WORDS]);
    instructions.tell(
        "doubled_rows3x3, 2 x 16 outputs x 16",
        (9 * CHANNELS * 32) as u32,
        || {
            fast::doubled_rows3x3(
                [&weights; 2],
                [row; 3],
                0,
                &mut columns[..20 * fast::COLUMN2_WORDS],
                0,
                (black_box(&mut out), 8),
            );
        },
    );
}
