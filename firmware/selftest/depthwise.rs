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
const PITCH: usize = 24;
const CODES: usize = PIXELS * PITCH + 8;
const COLUMNS: usize = (2 * PIXELS + 1) * fast::COLUMN3_WORDS;

/// Compares all functions.
pub fn compare(random: &mut Random, _: &mut Buffers) -> u32 {
    for _ in 0..CASES {
        columns(random);
        windows(random);
        doubled(random);
    }
    4 * CASES
}

fn columns(random: &mut Random) {
    let mut codes = [[0; CODES]; 3];
    codes.iter_mut().for_each(|codes| random.codes(codes));
    let pixels = random.below(PIXELS);
    let rows = codes.each_ref().map(|codes| Quads {
        codes: &codes[random.below(5)..],
        pitch: random.below(PITCH + 1),
    });
    let mut expected = [0; COLUMNS];
    random.words(&mut expected);
    let (mut out, before) = (expected, expected);
    let border = Border {
        code: random.zero_point(),
        left: random.below(3),
        right: random.below(4),
    };
    let used = (border.left + pixels + border.right) * fast::COLUMN3_WORDS + random.below(fast::COLUMN3_WORDS);
    plain::columns3(rows, &border, &mut expected[1..][..used]);
    fast::columns3(rows, &border, &mut out[1..][..used]);
    assert!(out == expected, "columns3 of {pixels} pixels and {border:?}");

    (expected, out) = (before, before);
    let used = 2 * (pixels.max(1) + 2) * fast::COLUMN2_WORDS;
    plain::columns2(rows, border.code, &mut expected[1..][..used]);
    fast::columns2(rows, border.code, &mut out[1..][..used]);
    assert!(out == expected, "columns2 of {pixels} pixels");
}

fn windows(random: &mut Random) {
    let mut weights = [0; CHANNELS * WINDOW_WORDS];
    let mut columns = [0; COLUMNS];
    random.words(&mut weights);
    random.words(&mut columns);
    let mut expected = [0; CODES];
    random.codes(&mut expected);
    let mut out = expected;
    let (pixels, stride) = (random.below(PIXELS), 1 + random.below(2));
    let (start, pitch) = (random.below(5), random.below(PITCH + 1));
    let words = (pixels.max(1) * stride + 3 - stride) * fast::COLUMN3_WORDS;
    let (columns, zero_point) = (&columns[COLUMNS - words..], random.zero_point());
    let used = start..start + pixels.max(1) * pitch.max(4) + 4;
    plain::window3x3(
        &weights,
        columns,
        stride,
        zero_point,
        (&mut expected[used.clone()], pitch, pixels),
    );
    fast::window3x3(&weights, columns, stride, zero_point, (&mut out[used], pitch, pixels));
    if pitch >= CHANNELS {
        assert!(out == expected, "window3x3 of {pixels} pixels by {stride}");
    }
}

fn doubled(random: &mut Random) {
    let mut weights = [0; CHANNELS * DOUBLED_WORDS];
    let mut columns = [0; COLUMNS];
    random.words(&mut weights);
    random.words(&mut columns);
    let mut expected = [0; CODES];
    random.codes(&mut expected);
    let mut out = expected;
    let pixels = random.below(PIXELS / 2);
    let (start, pitch) = (random.below(5), CHANNELS + random.below(PITCH - CHANNELS));
    let words = (pixels + 2) * fast::COLUMN2_WORDS;
    let (columns, zero_point) = (&columns[COLUMNS - words..], random.zero_point());
    plain::doubled3x3(&weights, columns, zero_point, (&mut expected[start..], pitch, pixels));
    fast::doubled3x3(&weights, columns, zero_point, (&mut out[start..], pitch, pixels));
    assert!(out == expected, "doubled3x3 of {pixels} pixels");
}

/// Counts instructions of rows of four channels.
pub fn figures(instructions: &Instructions, _: &mut Buffers) {
    const CHANNELS_WIDE: usize = 32;
    let codes = [1; 16 * CHANNELS_WIDE];
    let row = Quads {
        codes: &codes,
        pitch: CHANNELS_WIDE,
    };
    let mut columns = [0; 18 * fast::COLUMN3_WORDS];
    let mut out = [0; 16 * CHANNELS_WIDE];
    let border = Border {
        code: 0,
        left: 1,
        right: 1,
    };
    instructions.tell("columns3, 16 pixels x 4 and a border, per code", 64, || {
        fast::columns3([row; 3], &border, black_box(&mut columns[..18 * fast::COLUMN3_WORDS]));
    });
    instructions.tell("columns2, 8 pixels x 4 and a border, per code", 32, || {
        fast::columns2([row; 3], 0, black_box(&mut columns[..20 * fast::COLUMN2_WORDS]));
    });
    let weights = black_box([1; CHANNELS * WINDOW_WORDS]);
    for (name, stride, pixels) in [
        ("window3x3, 16 outputs x 4", 1, 16),
        ("window3x3, 8 outputs x 4", 1, 8),
        ("window3x3 by 2, 8 outputs x 4", 2, 8),
    ] {
        instructions.tell(name, 36 * pixels, || {
            fast::window3x3(
                &weights,
                &columns,
                stride,
                0,
                (black_box(&mut out), CHANNELS_WIDE, pixels as usize),
            );
        });
    }
    let weights = black_box([1; CHANNELS * DOUBLED_WORDS]);
    instructions.tell("doubled3x3, 16 outputs x 4", 36 * 16, || {
        fast::doubled3x3(&weights, &columns, 0, (black_box(&mut out), CHANNELS_WIDE, 8));
    });
}
